/** An authenticator in software, for tests that say what no honest one would: it signs whatever it is told to. */
import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

/** What a page asks the browser for. */
export interface Ceremony {
  readonly challenge: string;
  readonly user?: { readonly id: string };
}

/** Where an answer departs from what an honest browser and authenticator would say. */
export interface Lie {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly counter?: number;
  readonly isVerified?: boolean;
  readonly isSyncable?: boolean;
  readonly userHandle?: string;
  readonly key?: KeyObject;
  readonly attestation?: { readonly fmt: string; readonly attStmt: Map<string, unknown> };
}

export interface Credential {
  readonly id: string;
  readonly userHandle: string;
  /** Answers the challenge of a first page. */
  sign(ceremony: Ceremony, lie?: Lie): string;
}

const encoded = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** @param issuer where the person believes to be */
export function authenticator(issuer: string, kind: { isSyncable: boolean } = { isSyncable: false }) {
  const { hostname, origin } = new URL(issuer);
  let counter = 0;

  const clientData = (type: string, challenge: string, lie: Lie) =>
    Buffer.from(
      JSON.stringify({ type: lie.type ?? type, challenge: lie.challenge ?? challenge, origin: lie.origin ?? origin, crossOrigin: false }),
    );
  const authenticatorData = (lie: Lie, attested = Buffer.alloc(0)) => {
    const isSyncable = lie.isSyncable ?? kind.isSyncable;
    // UP, UV, BE, BS and AT (WebAuthn §6.1)
    const flags = 0x01 | ((lie.isVerified ?? true) ? 0x04 : 0) | (isSyncable ? 0x18 : 0) | (attested.length > 0 ? 0x40 : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(lie.counter ?? (kind.isSyncable ? 0 : ++counter));
    return Buffer.concat([
      createHash('sha256')
        .update(lie.rpId ?? hostname)
        .digest(),
      Buffer.from([flags]),
      count,
      attested,
    ]);
  };

  return {
    /** Makes a passkey as a page asks, and what the page posts for it. */
    create(ceremony: Ceremony, lie: Lie = {}): { credential: Credential; answer: string } {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const { x, y } = publicKey.export({ format: 'jwk' });
      const cose = isoCBOR.encode(
        new Map<number, number | Uint8Array>([
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, new Uint8Array(Buffer.from(x!, 'base64url'))],
          [-3, new Uint8Array(Buffer.from(y!, 'base64url'))],
        ]) as never,
      );
      const rawId = randomBytes(32);
      const id = encoded(rawId);
      const userHandle = ceremony.user!.id;
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, rawId.length]), rawId, cose]);
      const { fmt, attStmt } = lie.attestation ?? { fmt: 'none', attStmt: new Map() };
      const attestationObject = isoCBOR.encode(
        new Map<string, unknown>([
          ['fmt', fmt],
          ['attStmt', attStmt],
          ['authData', new Uint8Array(authenticatorData(lie, attested))],
        ]) as never,
      );
      const response = {
        clientDataJSON: encoded(clientData('webauthn.create', ceremony.challenge, lie)),
        attestationObject: encoded(attestationObject),
        transports: ['internal'],
      };
      const credential: Credential = {
        id,
        userHandle,
        sign(asked, lies = {}) {
          const data = authenticatorData(lies);
          const client = clientData('webauthn.get', asked.challenge, lies);
          const signed = Buffer.concat([data, createHash('sha256').update(client).digest()]);
          return JSON.stringify({
            id,
            rawId: id,
            type: 'public-key',
            clientExtensionResults: {},
            response: {
              clientDataJSON: encoded(client),
              authenticatorData: encoded(data),
              signature: createSign('sha256')
                .update(signed)
                .sign(lies.key ?? privateKey, 'base64url'),
              userHandle: lies.userHandle ?? userHandle,
            },
          });
        },
      };
      return { credential, answer: JSON.stringify({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response }) };
    },
  };
}

/** What the page's script is told to ask for. */
export function ceremonyOf(html: string): Ceremony {
  const options = /data-passkey="(?:get|create)" data-options="([^"]*)"/.exec(html)?.[1];
  if (!options) throw new Error(`The page asks for no passkey:\n${html}`);
  return JSON.parse(options.replaceAll('&quot;', '"').replaceAll('&amp;', '&')) as Ceremony;
}
