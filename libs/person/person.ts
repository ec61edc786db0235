/** Who stands behind a token. */
export interface Person {
  readonly id: string;
  readonly name: string;
}
