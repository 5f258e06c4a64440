/** What tests of an environment's own mail server share: the seeded environments, and the Owner who sets them up. */
import { createContext } from '../../src/features/context.ts';
import type { Paper } from '../../src/mail/letter.ts';
import type { TestApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { type MailSink, SINK_PASSWORD, SINK_USER } from '../helpers/mail-sink.ts';
import { waitFor } from '../helpers/receiver.ts';
import { teamToken } from '../helpers/user-agent.ts';

/** The installation's operator. */
export function operator(gatehouse: TestApp) {
  return createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
}

/** The environment whose pages the seeded applications use. */
export async function seededEnvironment(gatehouse: TestApp) {
  return operator(gatehouse).db.environment.findFirstOrThrow({ where: { isPrimary: true } });
}

/** What a sink takes, as a sender's input. */
export function serverAt({ port }: Pick<MailSink, 'port'>) {
  return { email: 'hello@acme.test', host: 'localhost', port, username: SINK_USER, password: SINK_PASSWORD };
}

/** Runs a mutation as the seeded Owner. */
export async function change<Payload = { errors: { code: string; path: string[] }[] }>(
  gatehouse: TestApp,
  mutation: string,
  input: object,
  selection = 'errors { code path }',
): Promise<Payload> {
  const token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${selection} } }`;
  const { data, errors } = await ask<Record<string, Payload>, object>(gatehouse, token, document, { input });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return data![mutation]!;
}

/** The only mail to an address that came to a sink, waited for. */
export function mailAt(sink: MailSink, address: string, after = 0) {
  return waitFor(() => sink.mailsTo(address)[after]);
}

/** The newest delivery to an address once it is `status`. */
export function deliveryTo(gatehouse: TestApp, recipient: string, status: string) {
  return waitFor(async () => {
    const delivery = await operator(gatehouse).db.mailDelivery.findFirst({ where: { recipient }, orderBy: { id: 'desc' } });
    return delivery?.status === status ? delivery : undefined;
  });
}

/** What a mail is written on where no environment says it. */
export const PAPER: Paper = {
  language: 'en-US',
  name: 'Acme & Sons',
  logoUrl: null,
  theme: 'user_preference',
  light: { page: '#f4f4f4', card: '#ffffff', text: '#111111', button: '#0000aa', 'on-button': '#ffffff' },
  dark: { page: '#111111', card: '#222222', text: '#eeeeee', button: '#aaaaff', 'on-button': '#000000' },
};
