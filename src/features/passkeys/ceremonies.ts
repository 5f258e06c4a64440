/**
 * The two ceremonies of WebAuthn Level 3, as the relying party: making a passkey (§7.1) and signing in with one (§7.2).
 * Passkeys are discoverable, so that nobody types who they are, and the person is verified each time. The RP ID is the
 * issuer's host, which the issuers of several environments may share: what tells them apart is the user handle.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Passkey } from '../../db/generated/client/client.ts';
import { sha256 } from '../../security/secrets.ts';

/** How long a browser waits for the person, in milliseconds. */
const TIMEOUT = 300_000;

/** It brings readers of certificates and is loaded when somebody has to do with a passkey. */
const library = () => import('@simplewebauthn/server');

/** What a passkey is made for. */
export interface Enrolment {
  readonly issuer: string;
  readonly environmentId: string;
  readonly userId: string;
  readonly challenge: string;
}

/** Names the user of one environment to authenticators, and says nothing to anybody else (WebAuthn §14.6.1). */
export function userHandleOf(environmentId: string, userId: string): string {
  return Buffer.from(sha256(`passkeys ${environmentId} ${userId}`), 'hex').toString('base64url');
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64url, 'base64url'));
}

function relyingParty(issuer: string): { id: string; origin: string } {
  const { hostname, origin } = new URL(issuer);
  return { id: hostname, origin };
}

/** What the browser is asked to make a passkey with; `account` is how the person tells accounts apart. */
export async function creationOptions(
  { issuer, environmentId, userId, challenge }: Enrolment,
  about: { serviceName: string; account: string; displayName: string; known: readonly Pick<Passkey, 'credentialId' | 'transports'>[] },
) {
  const { generateRegistrationOptions } = await library();
  return generateRegistrationOptions({
    rpID: relyingParty(issuer).id,
    rpName: about.serviceName,
    userID: bytesOf(userHandleOf(environmentId, userId)),
    userName: about.account,
    userDisplayName: about.displayName,
    challenge: bytesOf(challenge),
    timeout: TIMEOUT,
    attestationType: 'none',
    excludeCredentials: about.known.map(({ credentialId, transports }) => ({ id: credentialId, transports: transports as never })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
}

/** What the browser is asked to sign in with. */
export async function requestOptions(issuer: string, challenge: string) {
  const { generateAuthenticationOptions } = await library();
  return generateAuthenticationOptions({
    rpID: relyingParty(issuer).id,
    challenge: bytesOf(challenge),
    timeout: TIMEOUT,
    userVerification: 'required',
  });
}

/** A posted answer, when it has the form of one. */
export function readAnswer<Kind extends 'attestationObject' | 'signature'>(
  text: string | undefined,
  kind: Kind,
): (Kind extends 'signature' ? AuthenticationResponseJSON : RegistrationResponseJSON) | undefined {
  try {
    const answer = JSON.parse(text ?? '') as { id?: unknown; response?: Record<string, unknown> } | null;
    const isId = typeof answer?.id === 'string' && /^[\w-]{1,1400}$/.test(answer.id);
    return isId && typeof answer.response?.[kind] === 'string' ? (answer as never) : undefined;
  } catch {
    return undefined;
  }
}

/** What is kept of a new passkey; undefined when the answer is not to this challenge, or not by a verified person. */
export async function checkCreation({ issuer, challenge }: Enrolment, answer: RegistrationResponseJSON) {
  const { id, origin } = relyingParty(issuer);
  // Certificates were not asked for. Whoever sends some would have us read lists of revoked ones at addresses in them.
  if (await hasCertificates(answer)) return undefined;
  const { verifyRegistrationResponse } = await library();
  const { registrationInfo } = await verifyRegistrationResponse({
    response: answer,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: id,
    requireUserVerification: true,
  }).catch(() => ({ registrationInfo: undefined }));
  if (!registrationInfo) return undefined;
  const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo;
  return {
    credentialId: credential.id,
    publicKey: credential.publicKey,
    counter: credential.counter,
    transports: [credential.transports ?? []]
      .flat()
      .filter((each) => typeof each === 'string' && /^[a-z-]{1,20}$/.test(each))
      .slice(0, 10),
    isSyncable: credentialDeviceType === 'multiDevice',
    isBackedUp: credentialBackedUp,
  };
}

async function hasCertificates(answer: RegistrationResponseJSON): Promise<boolean> {
  const { decodeAttestationObject, isoBase64URL } = await import('@simplewebauthn/server/helpers');
  try {
    const attestation = decodeAttestationObject(isoBase64URL.toBuffer(answer.response.attestationObject));
    const format = attestation.get('fmt');
    return format !== 'none' && !(format === 'packed' && attestation.get('attStmt').get('x5c') === undefined);
  } catch {
    return true;
  }
}

/**
 * What has changed about the passkey with this use; undefined when the answer is not to this challenge, not by this
 * passkey, for another environment's user, or not by a verified person. A counter that does not go up is a copy of a key
 * that cannot be copied; of one that is kept on several devices it says nothing.
 */
export async function checkUse(
  issuer: string,
  challenge: string,
  passkey: Passkey,
  answer: AuthenticationResponseJSON,
): Promise<{ counter: number; isBackedUp: boolean } | undefined> {
  if (answer.response.userHandle !== userHandleOf(passkey.environmentId, passkey.userId)) return undefined;
  const { id, origin } = relyingParty(issuer);
  const { verifyAuthenticationResponse } = await library();
  const { authenticationInfo, verified } = await verifyAuthenticationResponse({
    response: answer,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: id,
    requireUserVerification: true,
    credential: {
      id: passkey.credentialId,
      publicKey: new Uint8Array(passkey.publicKey),
      counter: passkey.isSyncable ? 0 : Number(passkey.counter),
    },
  }).catch(() => ({ verified: false, authenticationInfo: undefined }));
  if (!verified || !authenticationInfo) return undefined;
  // Whether a key can be on several devices is said when it is made, and stays (WebAuthn §6.1.3).
  if ((authenticationInfo.credentialDeviceType === 'multiDevice') !== passkey.isSyncable) return undefined;
  return { counter: authenticationInfo.newCounter, isBackedUp: authenticationInfo.credentialBackedUp };
}
