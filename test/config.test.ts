/** The environment as an operator writes it: what is left out, what is wrong, what production insists on. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Config, ConfigError, loadConfig } from '../src/config.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const load = (env: NodeJS.ProcessEnv = {}): Config => loadConfig({ DATA_DIR: directory, ...env });
const KEY = Buffer.from('0123456789abcdef0123456789abcdef');
const PRODUCTION = {
  NODE_ENV: 'production',
  SECRET_KEY: KEY.toString('base64'),
  SMTP_URL: 'smtps://user:password@mail.example.com',
  BASE_URL: 'https://id.example.com',
};

function mistakesOf(env: NodeJS.ProcessEnv): string[] {
  try {
    load(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.split('\n').slice(1);
  }
  return [];
}

test('nothing needs to be set', () => {
  expect(load()).toEqual({
    production: false,
    port: 3000,
    host: undefined,
    baseUrl: 'http://localhost:3000',
    rootDomain: undefined,
    dataDir: directory,
    databaseUrl: undefined,
    secretKey: expect.any(Buffer),
    smtpUrl: undefined,
    smtpPrivateHosts: [],
    twilioUrl: 'https://api.twilio.com',
    mailFrom: 'Gatehouse <no-reply@localhost>',
    logLevel: 'info',
    trustProxy: false,
    graphQuota: 100_000,
    signingKeyDays: 90,
    turnstileUrl: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
    rateLimits: {
      auth: { address: 3000, account: 120, environment: 100_000 },
      api: { address: 60_000, account: 60_000, environment: 600_000 },
      admin: { address: 12_000, account: 6000, environment: 120_000 },
    },
  });
});

test('every setting is in .env.example', () => {
  const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');
  const settings = [...read('src/config.ts').matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name]) => name);
  expect(settings).toContain('DATABASE_URL');
  expect([...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name).sort()).toEqual(settings.sort());
});

test('signing keys are replaced after a number of days, or never by themselves', () => {
  for (const days of [0, 7, 3650]) expect(load({ SIGNING_KEY_DAYS: String(days) }).signingKeyDays).toBe(days);
  for (const SIGNING_KEY_DAYS of ['1', '-1', '3651', '7.5', 'never'])
    expect(mistakesOf({ SIGNING_KEY_DAYS })).toEqual([expect.stringMatching(/SIGNING_KEY_DAYS must be/)]);
});

test('a directory is made only where something is kept in it', () => {
  const DATA_DIR = join(directory, 'not-there');
  load({ ...PRODUCTION, DATA_DIR, DATABASE_URL: 'postgres://localhost/gatehouse' });
  expect(existsSync(DATA_DIR)).toBe(false);
  load({ ...PRODUCTION, DATA_DIR });
  expect(existsSync(DATA_DIR)).toBe(true);
});

test('a rate limit is three numbers', () => {
  expect(load({ RATE_LIMIT_AUTH: '1,0,3' }).rateLimits.auth).toEqual({ address: 1, account: 0, environment: 3 });
  for (const RATE_LIMIT_API of ['1', '1,2', '1,2,3,4', '-1,2,3', '1, 2, 3', 'many,2,3', '1,2,9999999999'])
    expect(mistakesOf({ RATE_LIMIT_API })).toEqual([expect.stringMatching(/RATE_LIMIT_API must be three numbers/)]);
});

test('an empty value is no value', () => {
  expect(load({ PORT: '', BASE_URL: '', DATABASE_URL: '', LOG_LEVEL: '' })).toMatchObject({
    port: 3000,
    databaseUrl: undefined,
    logLevel: 'info',
  });
});

test('what is loaded cannot be changed', () => {
  expect(Object.isFrozen(load())).toBe(true);
});

test('the base URL loses its trailing slash, and mail comes from its host', () => {
  expect(load({ BASE_URL: 'https://ID.example.com/' })).toMatchObject({
    baseUrl: 'https://id.example.com',
    mailFrom: 'Gatehouse <no-reply@id.example.com>',
  });
});

test('every mistake is reported at once, under the name of its setting', () => {
  const mistakes = mistakesOf({
    NODE_ENV: 'production',
    PORT: '70000',
    BASE_URL: 'ftp://example.com',
    ROOT_DOMAIN: 'not a host',
    DATABASE_URL: 'mysql://localhost/x',
    SECRET_KEY: 'short',
    LOG_LEVEL: 'loud',
    TRUST_PROXY: 'maybe',
  });
  expect(mistakes).toEqual([
    expect.stringMatching(/PORT must be 0 to 65535/),
    expect.stringMatching(/BASE_URL must be an http or https URL/),
    expect.stringMatching(/ROOT_DOMAIN must be a host name/),
    expect.stringMatching(/DATABASE_URL must be a postgres:\/\/ URL/),
    expect.stringMatching(/SECRET_KEY must be 32 bytes/),
    expect.stringMatching(/LOG_LEVEL must be fatal/),
    expect.stringMatching(/TRUST_PROXY must be/),
    expect.stringMatching(/SMTP_URL is required in production/),
  ]);
});

test.each(['https://example.com/path', 'https://example.com/?a=b', 'https://user@example.com', 'https://example.com/#top'])(
  '%s is no origin',
  (BASE_URL) => {
    expect(mistakesOf({ BASE_URL })).toEqual([expect.stringMatching(/BASE_URL must be an origin/)]);
  },
);

describe('production', () => {
  test('requires a key, a mail server and the public origin', () => {
    expect(mistakesOf({ NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(/SECRET_KEY is required in production/),
      expect.stringMatching(/SMTP_URL is required in production/),
      expect.stringMatching(/BASE_URL is required in production/),
    ]);
  });

  test('starts with the three, and keeps no key on disk', () => {
    expect(load(PRODUCTION)).toMatchObject({ production: true, baseUrl: 'https://id.example.com', secretKey: KEY });
    expect(() => statSync(join(directory, 'secret.key'))).toThrow();
  });
});

describe('the secret key', () => {
  test.each([
    ['base64', KEY.toString('base64')],
    ['base64url', KEY.toString('base64url')],
    ['hex', KEY.toString('hex')],
    ['upper-case hex', KEY.toString('hex').toUpperCase()],
  ])('is read from %s', (_form, SECRET_KEY) => {
    expect(load({ SECRET_KEY }).secretKey).toEqual(KEY);
  });

  test.each([
    ['too short', KEY.subarray(1).toString('base64')],
    ['too long', `${KEY.toString('hex')}00`],
    ['neither hex nor base64', '!'.repeat(43)],
  ])('is refused when %s', (_why, SECRET_KEY) => {
    expect(mistakesOf({ SECRET_KEY })).toHaveLength(1);
  });

  test('is made once, for its owner alone, and kept', () => {
    const first = load().secretKey;
    expect(first).toHaveLength(32);
    expect(statSync(join(directory, 'secret.key')).mode & 0o777).toBe(0o600);
    expect(load().secretKey).toEqual(first);
  });

  test('is never replaced when the kept one is damaged', () => {
    const path = join(directory, 'secret.key');
    writeFileSync(path, 'damaged');
    expect(mistakesOf({})).toEqual([expect.stringContaining(path)]);
    expect(readFileSync(path, 'utf8')).toBe('damaged');
  });
});

test.each([
  ['true', true],
  ['false', false],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['loopback, 192.168.1.7, fd00::/8', 'loopback, 192.168.1.7, fd00::/8'],
])('TRUST_PROXY=%s', (TRUST_PROXY, expected) => {
  expect(load({ TRUST_PROXY }).trustProxy).toBe(expected);
});

test.each(['2', 'maybe', '10.0.0.0/8;10.1.1.1', '10.0.0', '10.0.0.0/33', '::1/129', '10.0.0.0/x'])(
  'TRUST_PROXY=%s is refused',
  (TRUST_PROXY) => {
    expect(mistakesOf({ TRUST_PROXY })).toEqual([expect.stringMatching(/TRUST_PROXY must be true, false, or addresses/)]);
  },
);

test('hosts that may be private are named with their ports', () => {
  expect(load({ SMTP_PRIVATE_HOSTS: 'Mail.Internal:587,10.0.0.5:465' }).smtpPrivateHosts).toEqual(['mail.internal:587', '10.0.0.5:465']);
  for (const SMTP_PRIVATE_HOSTS of ['mail.internal', '10.0.0.0/8', 'a:25, b:25', ':25'])
    expect(mistakesOf({ SMTP_PRIVATE_HOSTS })).toEqual([expect.stringMatching(/SMTP_PRIVATE_HOSTS must be hosts with their ports/)]);
});
