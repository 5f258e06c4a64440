/** The part of node-oidc-provider that the peer uses; the package brings no types. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  interface Model {
    /** Writes it; returns the grant's id or the token. */
    save(): Promise<string>;
  }

  interface Grant extends Model {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    readonly Client: { find(clientId: string): Promise<object | undefined> };
    readonly Grant: new (properties: {
      clientId: string;
      accountId: string;
    }) => Grant;
    readonly RefreshToken: new (
      properties: object,
    ) => Model;
    readonly AccessToken: new (
      properties: object,
    ) => Model;
    readonly AuthorizationCode: new (
      properties: object,
    ) => Model;
    callback(): RequestListener;
    on(event: 'server_error', listener: (ctx: object, error: Error) => void): void;
  }
}
