/** Who acts, and how far that reaches. */

/** A member of the teams of one or more businesses, signed in to the `account` environment. */
export interface TeamActor {
  readonly kind: 'team';
  readonly userId: string;
  readonly accountEnvironmentId: string;
  /** By business id. */
  readonly businesses: ReadonlyMap<string, { readonly roles: readonly string[]; readonly permissions: ReadonlySet<string> }>;
  /** Environment id to business id, for every environment of those businesses. */
  readonly environments: ReadonlyMap<string, string>;
}

/** An application with a client-credentials token, within its own environment. */
export interface MachineActor {
  readonly kind: 'machine';
  readonly applicationId: string;
  readonly environmentId: string;
  readonly businessId: string;
  readonly permissions: ReadonlySet<string>;
  /** It may run its registered operations only. */
  readonly isBoundToOperations?: boolean;
}

/** The server itself or its operator at the command line. */
export interface SystemActor {
  readonly kind: 'system';
  readonly name: string;
}

/** A person on the hosted pages, known or not yet known. */
export interface EndUserActor {
  readonly kind: 'user';
  readonly environmentId: string;
  readonly userId: string | undefined;
}

export interface AnonymousActor {
  readonly kind: 'anonymous';
}

export type Actor = TeamActor | MachineActor | SystemActor | EndUserActor | AnonymousActor;

/** What a row belongs to: an environment, or a business as a whole. */
export type Tenant = { readonly environmentId: string } | { readonly businessId: string };
