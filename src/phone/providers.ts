/** How a text reaches each provider. */
import { createHmac } from 'node:crypto';
import { ForbiddenAddressError, postToStranger, type StrangerOptions } from '../security/strangers.ts';

export const PHONE_PROVIDERS = ['twilio', 'webhook'] as const;
export type PhoneProvider = (typeof PHONE_PROVIDERS)[number];

export interface Text {
  /** E.164. */
  readonly to: string;
  readonly text: string;
}

/** Why a text was not taken. */
export const TEXT_FAILURES = {
  forbidden_address: 'The URL leads to an address that is not on the public internet.',
  unreachable: 'There was no answer within ten seconds.',
  authentication: 'The provider did not take the credentials.',
  refused: 'The provider refused the text: the number, or whom it is from.',
  unavailable: 'The provider had too much to do, or failed.',
} as const;
export type TextFailure = keyof typeof TEXT_FAILURES;

/** Thrown where a text was not taken. It holds neither the number nor what the provider said. */
export class TextError extends Error {
  readonly failure: TextFailure;

  constructor(failure: TextFailure) {
    super(TEXT_FAILURES[failure]);
    this.name = 'TextError';
    this.failure = failure;
  }

  /** Would the provider say the same again? */
  get isPermanent(): boolean {
    return this.failure !== 'unreachable' && this.failure !== 'unavailable';
  }
}

export interface TwilioAccount {
  readonly accountSid: string;
  readonly authToken: string;
  /** A number (E.164) or a messaging service (`MG…`). */
  readonly from: string;
}

/** Hands a text to Twilio, whose API is at `origin`.
 * @throws TextError */
export function sendThroughTwilio(origin: string, { accountSid, authToken, from }: TwilioAccount, { to, text }: Text): Promise<void> {
  const sender: Record<string, string> = from.startsWith('MG') ? { MessagingServiceSid: from } : { From: from };
  return hand(
    new URL(`/2010-04-01/Accounts/${accountSid}/Messages.json`, origin),
    {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
    },
    new URLSearchParams({ To: to, Body: text, ...sender }).toString(),
    // The operator of this server has said where it is.
    { allowLoopback: true },
  );
}

/**
 * Hands a text to a server of the business's own, as JSON `{ to, text }`. It is signed as Standard Webhooks has it: HMAC-SHA-256
 * of `webhook-id.webhook-timestamp.body`. Every try of a text has the same id.
 * @throws TextError
 */
export function sendThroughWebhook(
  { url, secret }: { readonly url: string; readonly secret: string },
  { to, text }: Text,
  { id, seconds }: { readonly id: string; readonly seconds: number },
  options: StrangerOptions,
): Promise<void> {
  const body = JSON.stringify({ to, text });
  const signature = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Gatehouse-Texts',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
  return hand(new URL(url), headers, body, options);
}

async function hand(url: URL, headers: Readonly<Record<string, string>>, body: string, options: StrangerOptions): Promise<void> {
  const status = await postToStranger(url, { headers, body }, options).catch((error: unknown) => {
    throw new TextError(error instanceof ForbiddenAddressError ? 'forbidden_address' : 'unreachable');
  });
  if (status >= 200 && status < 300) return;
  if (status === 401 || status === 403) throw new TextError('authentication');
  throw new TextError(status === 408 || status === 429 || status >= 500 ? 'unavailable' : 'refused');
}
