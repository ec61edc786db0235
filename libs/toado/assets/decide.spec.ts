import { describe, expect, it } from '@jest/globals';
import { isRefused } from '../../event-log/decide-and-append.ts';
import { noAsset } from './asset.ts';
import { assetDecider, type AssetCommand, MOST_ANNOTATIONS } from './decide.ts';
import type { AssetEvent } from './events.ts';

const at = '2026-03-01T12:00:00.000Z';
const workspace = 'w1';
const sha256 = 'a'.repeat(64);
const file = { name: 'a.png', media_type: 'image/png', sha256, length_bytes: 1 };

const uploaded: AssetEvent = { type: 'AssetUploaded', data: { id: 'a1', workspace, ticket: 't1', ...file, at } };
const annotated = (annotation: string): AssetEvent => ({
  type: 'AssetAnnotated',
  data: { annotation, shape: { kind: 'point', x: 0, y: 0 }, text: 'here', at },
});
const annotationRemoved = (annotation: string): AssetEvent => ({
  type: 'AnnotationRemoved',
  data: { annotation, at },
});
const removed: AssetEvent = { type: 'AssetRemoved', data: { at } };

const annotate = (annotation: string): AssetCommand => ({
  type: 'AnnotateAsset',
  workspace,
  annotation,
  shape: { kind: 'point', x: 0, y: 0 },
  text: 'here',
  at,
});
const removeAnnotation = (annotation: string): AssetCommand => ({
  type: 'RemoveAnnotation',
  workspace,
  annotation,
  at,
});
const removeAsset: AssetCommand = { type: 'RemoveAsset', workspace, at };

const stateOf = (events: readonly AssetEvent[]) => events.reduce(assetDecider.evolve, noAsset);
function decided(given: readonly AssetEvent[], when: AssetCommand): readonly AssetEvent[] | string {
  const decision = assetDecider.decide(when, stateOf(given));
  return isRefused<{ code: string }>(decision) ? decision.refused.code : decision;
}

describe('removing from assets', () => {
  it('an asset is removed once, however often it is asked', () => {
    expect(decided([uploaded], removeAsset)).toEqual([removed]);
    expect(decided([uploaded, removed], removeAsset)).toEqual([]);
  });

  it('an annotation is removed once, and no other with it', () => {
    const given = [uploaded, annotated('n1'), annotated('n2')];
    expect(decided(given, removeAnnotation('n1'))).toEqual([annotationRemoved('n1')]);
    expect(decided([...given, annotationRemoved('n1')], removeAnnotation('n1'))).toEqual([]);
    expect(decided([...given, annotationRemoved('n1')], removeAnnotation('n2'))).toEqual([annotationRemoved('n2')]);
    expect(decided(given, removeAnnotation('n3'))).toBe('annotation_not_found');
  });

  it('of a removed asset nothing is left to annotate or to remove', () => {
    const given = [uploaded, annotated('n1'), removed];
    expect(decided(given, annotate('n2'))).toBe('not_found');
    expect(decided(given, removeAnnotation('n1'))).toBe('not_found');
  });

  it('P13 what lies in another workspace is not there, removed or not', () => {
    for (const command of [removeAsset, removeAnnotation('n1')]) {
      for (const given of [[], [uploaded, annotated('n1')], [uploaded, annotated('n1'), removed]]) {
        expect(decided(given, { ...command, workspace: 'w2' })).toBe('not_found');
      }
    }
  });

  it('a removed annotation makes room for another', () => {
    const full = [uploaded, ...Array.from({ length: MOST_ANNOTATIONS }, (_, index) => annotated(`n${index}`))];
    expect(decided(full, annotate('more'))).toBe('too_many_annotations');
    expect(decided([...full, annotationRemoved('n7')], annotate('more'))).toEqual([annotated('more')]);
  });

  it('the bytes of a file uploaded before each had a place of its own lie under their hash', () => {
    expect(stateOf([uploaded])).toMatchObject({ place: sha256 });
    const place = `${sha256}.b`;
    const now = { ...uploaded, data: { ...uploaded.data, place } } as AssetEvent;
    expect(stateOf([now])).toMatchObject({ place });
  });
});
