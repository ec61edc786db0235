/** A person and the companies they are a member of, in stream `person-<id>`. Times are RFC 3339. */
export type PersonEvent = PersonAdded | PersonRenamed | MemberAdded | MemberRemoved | PersonErased;

export interface PersonAdded {
  readonly type: 'PersonAdded';
  readonly data: { readonly id: string; readonly workspace: string; readonly name: string; readonly at: string };
}

/** What they wrote before keeps the name they had. */
export interface PersonRenamed {
  readonly type: 'PersonRenamed';
  readonly data: { readonly name: string; readonly at: string };
}

export interface MemberAdded {
  readonly type: 'MemberAdded';
  readonly data: { readonly company: string; readonly at: string };
}

export interface MemberRemoved {
  readonly type: 'MemberRemoved';
  readonly data: { readonly company: string; readonly at: string };
}

/** The key of their personal data is destroyed: from here back it reads as erased, everywhere. They are nobody's member. */
export interface PersonErased {
  readonly type: 'PersonErased';
  readonly data: { readonly at: string };
}

export const PERSON_PREFIX = 'person-';
export const personStream = (id: string): string => `${PERSON_PREFIX}${id}`;
