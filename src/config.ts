/** The only reader of the environment. Every mistake is reported at once; what comes out is frozen and typed. */

import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { z } from 'zod';

export interface Config {
  readonly production: boolean;
  readonly port: number;
  /** Undefined listens on every interface. */
  readonly host: string | undefined;
  /** Origin without a trailing slash. */
  readonly baseUrl: string;
  /** Lower-case host, or undefined when issuers are paths under the base URL. */
  readonly rootDomain: string | undefined;
  readonly dataDir: string;
  /** Undefined: the embedded database in `dataDir`. */
  readonly databaseUrl: string | undefined;
  /** 32 bytes. */
  readonly secretKey: Buffer;
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  /** Businesses' own mail servers that may be in a private network, each as `host:port` in lower case. */
  readonly smtpPrivateHosts: readonly string[];
  /** The origin of Twilio's API: that of a region, or of a test. */
  readonly twilioUrl: string;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** As Fastify's `trustProxy`: false, true, or addresses. It trusts no count of hops, which a direct caller could forge. */
  readonly trustProxy: boolean | string;
  /** What a caller of the graph may use in a minute, in cost units; 0 for no limit. */
  readonly graphQuota: number;
  /** Days after which a signing key is replaced by itself; 0 for never. */
  readonly signingKeyDays: number;
  /** Where Cloudflare is asked about a token of Turnstile. */
  readonly turnstileUrl: string;
  readonly rateLimits: Readonly<Record<RequestClass, RateLimit>>;
}

/** How many requests of a class there may be in a minute; 0 for any number. */
export interface RateLimit {
  /** From one network address. */
  readonly address: number;
  /** For one account: a person's, an application's, or a caller's of the graph. */
  readonly account: number;
  /** In one environment. */
  readonly environment: number;
}

export const REQUEST_CLASSES = ['auth', 'api', 'admin'] as const;
/** The pages and what leads to them; the protocol's other endpoints; the graph. */
export type RequestClass = (typeof REQUEST_CLASSES)[number];

/** Thrown with every mistake of the environment, one a line. */
export class ConfigError extends Error {
  constructor(mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((m) => `  - ${m}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

const url = (schemes: string[], meaning: string) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), `must be ${meaning}`);

const rateLimit = (byDefault: string) =>
  z
    .string()
    .regex(/^\d{1,9},\d{1,9},\d{1,9}$/, 'must be three numbers such as 3000,120,100000: for an address, an account and an environment')
    .default(byDefault)
    .transform((text): RateLimit => {
      const [address, account, environment] = text.split(',').map(Number) as [number, number, number];
      return { address, account, environment };
    });

const schema = z.object({
  NODE_ENV: z.string().optional(),
  PORT: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(0, 'must be 0 to 65535')
    .max(65535, 'must be 0 to 65535')
    .default(3000),
  HOST: z.string().optional(),
  BASE_URL: url(['http:', 'https:'], 'an http or https URL')
    .refine(
      (text) => !URL.canParse(text) || new URL(text).href === `${new URL(text).origin}/`,
      'must be an origin: scheme, host and port only',
    )
    .transform((text) => new URL(text).origin)
    .optional(),
  ROOT_DOMAIN: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*(:\d+)?$/, 'must be a host name such as auth.example.com')
    .optional(),
  DATA_DIR: z
    .string()
    .default('./data')
    .transform((path) => resolve(path)),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'a postgres:// URL').optional(),
  SECRET_KEY: z
    .string()
    .refine((text) => decodeKey(text) !== undefined, 'must be 32 bytes as 64 hex digits or as base64 (openssl rand -base64 32)')
    .optional(),
  SMTP_URL: url(['smtp:', 'smtps:'], 'an smtp:// or smtps:// URL').optional(),
  MAIL_FROM: z.string().optional(),
  SMTP_PRIVATE_HOSTS: z
    .string()
    .toLowerCase()
    .regex(/^[^\s:,]+:\d+(,[^\s:,]+:\d+)*$/, 'must be hosts with their ports such as mail.internal:587,10.0.0.5:465')
    .transform((text) => text.split(','))
    .default([]),
  TWILIO_URL: url(['http:', 'https:'], 'an http or https URL')
    .transform((text) => new URL(text).origin)
    .default('https://api.twilio.com'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'must be fatal, error, warn, info, debug, trace or silent')
    .default('info'),
  TRUST_PROXY: z
    .string()
    .default('false')
    .refine(isTrustProxy, 'must be true, false, or addresses such as 10.0.0.0/8, ::1')
    .transform(parseTrustProxy),
  GRAPH_QUOTA: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .max(1_000_000_000, 'must be 0, or 1000 to 1000000000')
    .refine((units) => units === 0 || units >= 1000, 'must be 0, or 1000 to 1000000000')
    .default(100_000),
  SIGNING_KEY_DAYS: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .max(3650, 'must be 0, or 7 to 3650')
    .refine((days) => days === 0 || days >= 7, 'must be 0, or 7 to 3650')
    .default(90),
  TURNSTILE_URL: url(['http:', 'https:'], 'an http or https URL').default('https://challenges.cloudflare.com/turnstile/v0/siteverify'),
  RATE_LIMIT_AUTH: rateLimit('3000,120,100000'),
  RATE_LIMIT_API: rateLimit('60000,60000,600000'),
  RATE_LIMIT_ADMIN: rateLimit('12000,6000,120000'),
});

/** Adds to the process's environment what `.env` in the working directory says besides, where there is one. */
export function readEnvFile(): void {
  if (existsSync('.env')) process.loadEnvFile();
}

/** Reads and checks `env`; makes DATA_DIR where something will be kept in it and, outside production, the secret key.
 * @throws ConfigError naming every mistake at once */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(present);
  const mistakes = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  const production = present['NODE_ENV'] === 'production';
  if (production && !present['SECRET_KEY'])
    mistakes.push('SECRET_KEY is required in production: 32 bytes, as from openssl rand -base64 32');
  if (production && !present['SMTP_URL'])
    mistakes.push('SMTP_URL is required in production: without it nobody would receive a sign-in code');
  if (production && !present['BASE_URL']) mistakes.push('BASE_URL is required in production: the public origin of this server');
  if (!parsed.success || mistakes.length > 0) throw new ConfigError(mistakes);

  const values = parsed.data;
  if (!production || !values.DATABASE_URL) makeWritable(values.DATA_DIR);
  const baseUrl = values.BASE_URL ?? `http://localhost:${values.PORT}`;
  return Object.freeze({
    production,
    port: values.PORT,
    host: values.HOST,
    baseUrl,
    rootDomain: values.ROOT_DOMAIN,
    dataDir: values.DATA_DIR,
    databaseUrl: values.DATABASE_URL,
    secretKey: values.SECRET_KEY ? decodeKey(values.SECRET_KEY)! : keptKey(join(values.DATA_DIR, 'secret.key')),
    smtpUrl: values.SMTP_URL,
    mailFrom: values.MAIL_FROM ?? `Gatehouse <no-reply@${new URL(baseUrl).hostname}>`,
    smtpPrivateHosts: values.SMTP_PRIVATE_HOSTS,
    twilioUrl: values.TWILIO_URL,
    logLevel: values.LOG_LEVEL,
    trustProxy: values.TRUST_PROXY,
    graphQuota: values.GRAPH_QUOTA,
    signingKeyDays: values.SIGNING_KEY_DAYS,
    turnstileUrl: values.TURNSTILE_URL,
    rateLimits: { auth: values.RATE_LIMIT_AUTH, api: values.RATE_LIMIT_API, admin: values.RATE_LIMIT_ADMIN },
  });
}

function decodeKey(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 32 && /^[A-Za-z0-9+/_-]+=*$/.test(text) ? bytes : undefined;
}

function makeWritable(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
  } catch (error) {
    throw new ConfigError([`DATA_DIR must be a directory that can be written: ${(error as Error).message}`]);
  }
}

function keptKey(path: string): Buffer {
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  const key = decodeKey(readFileSync(path, 'utf8').trim());
  if (!key) throw new ConfigError([`${path} does not hold 32 bytes; restore it, for what it sealed cannot be read without it`]);
  return key;
}

/** What Fastify takes: it would refuse anything else only once the server starts. */
function isTrustProxy(text: string): boolean {
  if (/^(true|false)$/.test(text)) return true;
  return text.split(',').every((part) => {
    const [address = '', prefix] = part.trim().split('/');
    if (prefix === undefined) return /^(loopback|linklocal|uniquelocal)$/.test(address) || isIP(address) !== 0;
    return isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIP(address) === 6 ? 128 : 32);
  });
}

function parseTrustProxy(text: string): boolean | string {
  return text === 'true' || (text !== 'false' && text);
}
