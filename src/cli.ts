/** Operator commands over the same services. `npm run cli -- help` lists them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openInfrastructure } from './app.ts';
import { ConfigError, loadConfig } from './config.ts';
import { DatabaseInUseError } from './db/embedded.ts';
import { createBusinessRow, REGIONS, type Region } from './features/businesses/service.ts';
import { createContext, inTransaction } from './features/context.ts';
import { freeReservedDomain } from './features/environments/service.ts';
import { ensureAccountEnvironment } from './features/seed/service.ts';
import { createInvitation } from './features/team/service.ts';
import { requireEmail } from './features/text.ts';
import { printSchema } from './graphql/schema.ts';
import { DomainError } from './kernel/errors.ts';

/** A mistake in how a command was called: shown without a stack. */
class UsageError extends Error {}

const SCHEMA_FILE = join(import.meta.dirname, '../schema.graphql');

const COMMANDS: Record<string, { usage: string; run: (args: string[]) => Promise<void> | void }> = {
  'print-schema': { usage: 'print-schema [--check]   write schema.graphql, or fail when it is not current', run: writeSchema },
  migrate: { usage: 'migrate                  apply pending migrations', run: migrateDatabase },
  'create-owner': {
    usage:
      'create-owner --email ADDRESS --business NAME [--region au|us|ca|ie|uk] [--domain DOMAIN]\n                             make a business and print a one-time link for its first Owner',
    run: createOwner,
  },
  'free-domain': {
    usage: 'free-domain --domain DOMAIN   let the domain of a deleted environment be used again, by anybody',
    run: freeDomain,
  },
};

function writeSchema(args: string[]): void {
  const printed = printSchema();
  if (!args.includes('--check')) writeFileSync(SCHEMA_FILE, printed);
  else if (readFileSync(SCHEMA_FILE, 'utf8') !== printed)
    throw new UsageError('schema.graphql is not current: run npm run cli -- print-schema and commit it.');
}

async function migrateDatabase(): Promise<void> {
  const { close } = await openInfrastructure(loadConfig());
  await close();
  console.log('The database is up to date.');
}

async function createOwner(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      email: { type: 'string' },
      business: { type: 'string' },
      region: { type: 'string', default: 'us' },
      domain: { type: 'string' },
    },
  });
  if (!values.email || !values.business) throw new UsageError('--email and --business are needed.');
  if (!(REGIONS as readonly string[]).includes(values.region)) throw new UsageError(`--region is one of ${REGIONS.join(', ')}.`);
  const { infrastructure, close } = await openInfrastructure(loadConfig());
  try {
    await ensureAccountEnvironment(infrastructure);
    const email = requireEmail(values.email, 'email');
    const link = await inTransaction(createContext(infrastructure, { kind: 'system', name: 'command line' }), async (tx) => {
      const business = await createBusinessRow(tx, { name: values.business ?? '', region: values.region as Region, domain: values.domain });
      return (await createInvitation(tx, { businessId: business.id, email, roles: ['owner'] })).link;
    });
    console.log(`Open this link once, within seven days, to become the Owner of ${values.business}:\n${link}`);
  } finally {
    await close();
  }
}

async function freeDomain(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { domain: { type: 'string' } } });
  const { domain } = values;
  if (!domain) throw new UsageError('--domain is needed.');
  const { infrastructure, close } = await openInfrastructure(loadConfig());
  try {
    const freed = await freeReservedDomain(createContext(infrastructure, { kind: 'system', name: 'command line' }), domain);
    if (!freed) throw new UsageError(`${domain} is not reserved.`);
    console.log(`${domain} can be used again.`);
  } finally {
    await close();
  }
}

const [name = 'help', ...args] = process.argv.slice(2);
const command = COMMANDS[name];
try {
  if (!command) {
    console.log(
      `usage: npm run cli -- COMMAND\n\n${Object.values(COMMANDS)
        .map(({ usage }) => `  ${usage}`)
        .join('\n')}`,
    );
    process.exitCode = name === 'help' ? 0 : 2;
  } else {
    await command.run(args);
  }
} catch (error) {
  const expected =
    error instanceof UsageError ||
    error instanceof DomainError ||
    error instanceof ConfigError ||
    error instanceof DatabaseInUseError ||
    error instanceof TypeError;
  console.error(expected ? (error as Error).message : error);
  process.exitCode = 1;
}
