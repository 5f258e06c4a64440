/** Operator commands over the same services. `npm run cli -- help` lists them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { isOperatorError, openInfrastructure } from './app.ts';
import { loadConfig, readEnvFile } from './config.ts';
import { createBusinessRow, REGIONS, type Region } from './features/businesses/service.ts';
import { type Context, createContext, inTransaction } from './features/context.ts';
import { freeReservedDomain } from './features/environments/service.ts';
import {
  createDashboard,
  createMachine,
  ensureAccountEnvironment,
  environmentOfBusiness,
  type GraphCaller,
} from './features/seed/service.ts';
import { inviteOwner } from './features/team/service.ts';
import { requireEmail } from './features/text.ts';
import { printSchema } from './graphql/schema.ts';
import { DomainError } from './kernel/errors.ts';

/** A mistake in how a command was called: shown without a stack. */
class UsageError extends Error {}

const SCHEMA_FILE = join(import.meta.dirname, '../schema.graphql');

const COMMANDS: Record<string, { usage: string; does: string; run: (args: string[]) => Promise<void> | void }> = {
  'create-owner': {
    usage: '--email ADDRESS --business NAME [--region au|us|ca|ie|uk] [--domain DOMAIN]',
    does: 'make a business and print a one-time link for its first Owner',
    run: createOwner,
  },
  'invite-owner': {
    usage: '--email ADDRESS --domain DOMAIN',
    does: 'print a one-time link for another Owner of the business that has this environment',
    run: inviteAnotherOwner,
  },
  'create-machine': {
    usage: '--domain DOMAIN [--name NAME]',
    does: 'make a machine-to-machine application for the graph of this environment, and print its secret',
    run: makeMachine,
  },
  'create-dashboard': {
    usage: '--callback-url URL... [--logout-url URL...] [--type spa|reg] [--name NAME]',
    does: 'make an application that team members sign in to, to use the graph',
    run: makeDashboard,
  },
  'free-domain': { usage: '--domain DOMAIN', does: 'let the domain of a deleted environment be used again, by anybody', run: freeDomain },
  migrate: { usage: '', does: 'apply pending migrations', run: migrateDatabase },
  'print-schema': { usage: '[--check]', does: 'write schema.graphql, or fail when it is not current', run: writeSchema },
};

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;

/** @throws UsageError for what is no option of the command */
function optionsOf<const Options extends ParseArgsOptionsConfig>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
}

function required(value: string | undefined, option: string): string {
  if (!value) throw new UsageError(`--${option} is needed`);
  return value;
}

function oneOf<const Value extends string>(value: string, option: string, values: readonly Value[]): Value {
  const found = values.find((each) => each === value);
  if (!found) throw new UsageError(`--${option} is one of ${values.join(', ')}`);
  return found;
}

async function withDatabase<T>(work: (ctx: Context) => Promise<T>): Promise<T> {
  const { infrastructure, close } = await openInfrastructure(loadConfig());
  try {
    await ensureAccountEnvironment(infrastructure);
    return await work(createContext(infrastructure, { kind: 'system', name: 'command line' }));
  } finally {
    await close();
  }
}

async function createOwner(args: string[]): Promise<void> {
  const values = optionsOf(args, { email: text, business: text, region: text, domain: text });
  const email = requireEmail(required(values.email, 'email'), 'email');
  const name = required(values.business, 'business');
  const region: Region = oneOf(values.region ?? 'us', 'region', REGIONS);
  const { link, domain } = await withDatabase((ctx) =>
    inTransaction(ctx, async (tx) => {
      const { id: businessId } = await createBusinessRow(tx, { name, region, domain: values.domain });
      const production = await tx.db.environment.findFirstOrThrow({ where: { businessId, kind: 'production' } });
      return { ...(await inviteOwner(tx, businessId, email)), domain: production.domain };
    }),
  );
  console.log(`${name} is there, with a production environment whose domain is ${domain}.`);
  tellLink(link);
}

async function inviteAnotherOwner(args: string[]): Promise<void> {
  const values = optionsOf(args, { email: text, domain: text });
  const email = requireEmail(required(values.email, 'email'), 'email');
  const domain = required(values.domain, 'domain');
  const { link } = await withDatabase((ctx) =>
    inTransaction(ctx, async (tx) => {
      const { businessId } = await environmentOfBusiness(tx, domain);
      return inviteOwner(tx, businessId, email);
    }),
  );
  tellLink(link);
}

function tellLink(link: string): void {
  console.log(`Open this link once, within seven days, to become an Owner:\n${link}`);
}

async function makeMachine(args: string[]): Promise<void> {
  const values = optionsOf(args, { domain: text, name: text });
  const domain = required(values.domain, 'domain');
  tellCaller(await withDatabase((ctx) => createMachine(ctx, { domain, name: values.name ?? 'Machine' })));
}

async function makeDashboard(args: string[]): Promise<void> {
  const values = optionsOf(args, { 'callback-url': texts, 'logout-url': texts, type: text, name: text });
  const { 'callback-url': callbackUrls, 'logout-url': logoutUrls } = values;
  required(callbackUrls?.[0], 'callback-url');
  const type = oneOf(values.type ?? 'spa', 'type', ['spa', 'reg']);
  tellCaller(await withDatabase((ctx) => createDashboard(ctx, { name: values.name ?? 'Dashboard', type, callbackUrls, logoutUrls })));
}

function tellCaller({ issuer, managementAudience, application: { clientId, clientSecret } }: GraphCaller): void {
  console.log(`Issuer         ${issuer}\nAudience       ${managementAudience}\nClient id      ${clientId}`);
  if (clientSecret) console.log(`Client secret  ${clientSecret}\n\nThe secret is not shown again.`);
}

async function freeDomain(args: string[]): Promise<void> {
  const domain = required(optionsOf(args, { domain: text }).domain, 'domain');
  if (!(await withDatabase((ctx) => freeReservedDomain(ctx, domain)))) throw new DomainError('NOT_RESERVED', `${domain} is not reserved.`);
  console.log(`${domain} can be used again.`);
}

async function migrateDatabase(args: string[]): Promise<void> {
  optionsOf(args, {});
  const { close } = await openInfrastructure(loadConfig());
  await close();
  console.log('The database is up to date.');
}

function writeSchema(args: string[]): void {
  const { check } = optionsOf(args, { check: { type: 'boolean' } });
  const printed = printSchema();
  if (!check) writeFileSync(SCHEMA_FILE, printed);
  else if (readFileSync(SCHEMA_FILE, 'utf8') !== printed)
    throw new DomainError('NOT_CURRENT', 'schema.graphql is not current: run npm run cli -- print-schema and commit it.');
}

function usageOf(names: readonly string[]): string {
  return names.map((name) => `  ${[name, COMMANDS[name]!.usage].join(' ').trimEnd()}\n      ${COMMANDS[name]!.does}`).join('\n');
}

const [name = 'help', ...args] = process.argv.slice(2);
const asksForHelp = name === 'help' || [name, ...args].some((arg) => arg === '--help' || arg === '-h');
const known = Object.hasOwn(COMMANDS, name);
try {
  if (asksForHelp) console.log(`usage: npm run cli -- COMMAND\n\n${usageOf(known ? [name] : Object.keys(COMMANDS))}`);
  else if (known) {
    readEnvFile();
    await COMMANDS[name]!.run(args);
  } else throw new UsageError(`There is no command ${name}. npm run cli -- help lists those that there are`);
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}.${known ? `\n\n${usageOf([name])}` : ''}`);
  else console.error(isOperatorError(error) || error instanceof DomainError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
