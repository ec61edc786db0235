/** Ids of those the sample's tokens belong to. */
export interface People {
  readonly jason: string;
  readonly maya: string;
}
