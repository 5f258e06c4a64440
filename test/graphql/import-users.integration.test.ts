import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { Worker } from 'node:worker_threads';
import type { GraphQLEnumType } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { failImport, type ImportKey } from '../../src/features/imports/run-import.ts';
import { schema } from '../../src/graphql/schema.ts';
import type { UploadUsersMutation } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer, upload } from '../helpers/graph.ts';
import { waitFor } from '../helpers/receiver.ts';
import { digestOfEverything, makeWorld, signInMember, type World } from './world.ts';

const UPLOAD = graphql(`
  mutation UploadUsers($input: ImportUsersInput!) {
    importUsers(input: $input) { errors { code path message } import { id fileName state totalLines processedLines } }
  }
`);
const PROGRESS = graphql(`
  query ImportProgress($environmentId: ID!) {
    environment(id: $environmentId) {
      imports(first: 1) {
        nodes {
          id state failure totalLines processedLines createdUsers updatedUsers unchangedUsers rejectedLines warnings startedAt finishedAt
          issues { totalCount nodes { line severity code column message } }
        }
      }
      users { nodes { email firstName providedId identities { type value isVerified } memberships { nodes { organization { externalId } roles { key } } } } }
    }
  }
`);

const gatehouse = startApp();
let world: World;
let token: string;
let marketing: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'support@alpha.test', ['customer_success']);
  marketing = await signInMember(gatehouse, world.businessId, 'marketing@alpha.test', ['marketing']);
});

const prisma = () => gatehouse.app.infrastructure.database.prisma;
const csv = (...lines: string[]) => new File([lines.map((line) => `${line}\n`).join('')], 'people.csv', { type: 'text/csv' });

function send(file: File, bearer = token): Promise<GraphAnswer<UploadUsersMutation>> {
  const variables = { input: { environmentId: world.ids.Environment, file: null } };
  return upload(gatehouse, bearer, UPLOAD.toString(), variables, 'variables.input.file', file);
}

function keyOf({ data }: GraphAnswer<UploadUsersMutation>): ImportKey {
  return { environmentId: world.ids.Environment, importId: data!.importUsers!.import!.id };
}

/** The newest import and the users, once the import is over. */
async function outcome() {
  for (let tries = 0; tries < 200; tries++) {
    const { data } = await ask(gatehouse, token, PROGRESS, { environmentId: world.ids.Environment });
    const [newest] = data!.environment!.imports!.nodes;
    if (newest && (newest.state === 'COMPLETED' || newest.state === 'FAILED')) return { newest, users: data!.environment!.users!.nodes };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('The import did not end.');
}

describe('a file of users', () => {
  test('is taken in, applied line by line, and answered for', async () => {
    const file = csv(
      'id,email,email_verified,first_name,external_organization_id,role_key',
      'old-1,one@people.test,TRUE,One,alpha,alpha-role',
      'old-2,no address,TRUE,Two,,',
      'old-3,three@people.test,FALSE,Three,alpha,nobody-knows',
      ',alpha-user@people.test,TRUE,Renamed,alpha,alpha-role',
    );
    const answer = await send(file);
    const id = answer.data?.importUsers?.import?.id;
    expect(answer.data?.importUsers).toMatchObject({
      errors: [],
      import: { id: expect.stringMatching(/^imp_/), fileName: 'people.csv', totalLines: 4 },
    });
    const { newest, users } = await outcome();
    expect(newest).toEqual({
      id,
      state: 'COMPLETED',
      failure: null,
      totalLines: 4,
      processedLines: 4,
      createdUsers: 2,
      updatedUsers: 0,
      unchangedUsers: 1,
      rejectedLines: 1,
      warnings: 1,
      startedAt: expect.any(String),
      finishedAt: expect.any(String),
      issues: {
        totalCount: 2,
        nodes: [
          { line: 3, severity: 'REJECTED', code: 'invalid_email', column: 'email', message: 'This is not an email address.' },
          { line: 4, severity: 'WARNING', code: 'role_not_found', column: 'role_key', message: expect.stringContaining('nobody-knows') },
        ],
      },
    });
    const inAlpha = (roles: { key: string }[]) => ({ nodes: [{ organization: { externalId: 'alpha' }, roles }] });
    expect(users.slice(1)).toEqual([
      {
        email: 'one@people.test',
        firstName: 'One',
        providedId: 'old-1',
        identities: [{ type: 'EMAIL', value: 'one@people.test', isVerified: true }],
        memberships: inAlpha([{ key: 'alpha-role' }]),
      },
      {
        email: 'three@people.test',
        firstName: 'Three',
        providedId: 'old-3',
        identities: [{ type: 'EMAIL', value: 'three@people.test', isVerified: false }],
        memberships: inAlpha([]),
      },
    ]);

    const requestId = answer.headers.get('x-request-id');
    expect(await prisma().auditEvent.findMany({ where: { requestId } })).toMatchObject([
      { action: 'import.created', actorKind: 'team', targetType: 'import', targetId: id, details: { lines: 4 } },
    ]);
  });

  test('mails nobody', async () => {
    expect(await prisma().developmentMail.count({ where: { to: { endsWith: '@people.test' } } })).toBe(0);
  });

  test('may be large', async () => {
    const answer = await send(csv('email,notes', `large@people.test,${'x'.repeat(30 * 1024 * 1024)}`));
    expect(answer).toMatchObject({ data: { importUsers: { errors: [] } }, errors: [] });
    expect((await outcome()).newest).toMatchObject({ totalLines: 1, createdUsers: 1 });
  });
});

describe('a large file', () => {
  const people = (name: string, count: number) =>
    new File([`email\n${Array.from({ length: count }, (_, at) => `${name}${at}@many.test\n`).join('')}`], 'people.csv');
  const nextThread = () => new Promise<Worker>((resolve) => void process.once('worker', resolve));

  test('holds nobody up while it is read', async () => {
    const reading = nextThread();
    const sent = send(people('many', 200_000));
    let isRead = false;
    (await reading).once('exit', () => (isRead = true));
    let answers = 0;
    for (; !isRead; answers++) expect((await fetch(`${gatehouse.baseUrl}/readyz`)).status).toBe(200);
    expect(answers).toBeGreaterThan(10);
    const answer = await sent;
    expect(answer).toMatchObject({ data: { importUsers: { errors: [], import: { totalLines: 200_000 } } }, errors: [] });
    await failImport(gatehouse.app.infrastructure, keyOf(answer), 'Else it is applied while the next tests run.');
  });

  test('holds nobody up while it is applied', async () => {
    const { importId } = keyOf(await send(people('applied', 5000)));
    let answers = 0;
    for (; (await prisma().import.count({ where: { id: importId, state: 'completed' } })) === 0; answers++)
      expect((await fetch(`${gatehouse.baseUrl}/healthz`)).status).toBe(200);
    expect(answers).toBeGreaterThan(5);
  });

  test('is taken in beside others, each whole', async () => {
    const sizes = [40, 1, 30];
    const answers = await Promise.all(sizes.map((size) => send(people(`beside${size}-`, size))));
    expect(answers.map(({ data }) => data?.importUsers?.import?.totalLines)).toEqual(sizes);
    const ids = answers.map((answer) => keyOf(answer).importId);
    const ended = () => prisma().import.findMany({ where: { id: { in: ids }, state: 'completed' }, select: { createdUsers: true } });
    const all = await waitFor(async () => ((await ended()).length === sizes.length ? ended() : undefined));
    expect(all.map(({ createdUsers }) => createdUsers).sort()).toEqual([1, 30, 40]);
  });

  test('is a fault where its thread breaks down, and the next is taken in', async () => {
    void nextThread().then((thread) => thread.terminate());
    const before = await digestOfEverything(gatehouse);
    expect(await send(people('lost', 10))).toMatchObject({
      data: { importUsers: null },
      errors: [{ path: ['importUsers'], extensions: { code: 'INTERNAL' } }],
    });
    expect(await digestOfEverything(gatehouse)).toBe(before);
    expect(await send(people('found', 10))).toMatchObject({ data: { importUsers: { errors: [] } }, errors: [] });
    expect((await outcome()).newest).toMatchObject({ state: 'COMPLETED', createdUsers: 10 });
  });
});

describe('with an Idempotency-Key', () => {
  const sendOnce = (key: string, file: File) =>
    upload<UploadUsersMutation>(
      gatehouse,
      token,
      UPLOAD.toString(),
      { input: { environmentId: world.ids.Environment, file: null } },
      'variables.input.file',
      file,
      { 'idempotency-key': key },
    );

  test('the same file is one import, and another is none', async () => {
    const first = await sendOnce('import-1', csv('email', 'once@people.test'));
    const id = first.data?.importUsers?.import?.id;
    expect(id).toMatch(/^imp_/);
    expect(await sendOnce('import-1', csv('email', 'once@people.test'))).toMatchObject({ data: { importUsers: { import: { id } } } });
    expect(await sendOnce('import-1', csv('email', 'twice@people.test'))).toMatchObject({
      data: { importUsers: null },
      errors: [{ message: expect.stringContaining('was used for another request') }],
    });
    expect((await outcome()).newest).toMatchObject({ id, createdUsers: 1 });
  });
});

describe('a file that is refused as a whole', () => {
  // biome-ignore format: a file, a line
  const FILES: [code: string, file: () => File, message: RegExp][] = [
    ['EMPTY_FILE', () => new File([], 'people.csv'), /empty/],
    ['EMPTY_FILE', () => csv('email'), /no lines/],
    ['MISSING_HEADER', () => csv('name,age', 'Jo,42'), /email, phone or id/],
    ['BAD_CSV', () => csv('email,first_name', 'jo@people.test,Jo,Jones'), /^Line 2 /],
    ['BAD_CSV', () => csv('email', '"jo@people.test'), /closing double quote/],
    ['BAD_ENCODING', () => new File([new Uint8Array([0x65, 0x6d, 0xff, 0xfe, 0x0a])], 'people.csv'), /UTF-8/],
    ['FILE_TOO_LARGE', () => new File([new Uint8Array(49 * 1024 * 1024 + 1)], 'people.csv'), /49 MB/],
  ];

  test.each(FILES)('with %s', async (code, file, message) => {
    const before = await digestOfEverything(gatehouse);
    const { data, errors } = await send(file());
    expect(errors).toEqual([]);
    expect(data?.importUsers).toEqual({ errors: [{ code, path: ['file'], message: expect.stringMatching(message) }], import: null });
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('these are all the codes that the schema names', () => {
    const codes = schema.getType('ImportUsersErrorCode') as GraphQLEnumType;
    expect([...new Set(FILES.map(([code]) => code))].sort()).toEqual(
      codes
        .getValues()
        .map(({ name }) => name)
        .sort(),
    );
  });

  test('because the request is larger than any may be', async () => {
    const answer = await send(new File([new Uint8Array(51 * 1024 * 1024)], 'people.csv'));
    expect(answer).toMatchObject({ status: 413, data: null, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  test('because it is none', async () => {
    for (const file of [null, 'email', 42, { name: 'x' }]) {
      const answer = await ask<unknown, object>(gatehouse, token, UPLOAD.toString(), {
        input: { environmentId: world.ids.Environment, file },
      });
      expect(answer).toMatchObject({ data: null, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    }
    const literal = await ask(gatehouse, token, 'mutation { importUsers(input: { file: "email" }) { errors { code } } }');
    expect(literal).toMatchObject({
      data: null,
      errors: [{ message: expect.stringContaining('multipart'), extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });
});

test('no more than eight files are taken in at once: the next one is told to come again, and may when one is gone', async () => {
  const { hostname, port } = new URL(gatehouse.baseUrl);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'multipart/form-data; boundary=x',
    'content-length': '100000',
    expect: '100-continue',
  };
  const halves = Array.from({ length: 8 }, () =>
    httpRequest({ hostname, port, path: '/graphql', method: 'POST', headers, agent: false }).on('error', () => {}),
  );
  for (const sent of halves) sent.flushHeaders();
  await Promise.all(halves.map((sent) => once(sent, 'continue'))); // The server has each of them, and waits for its file.
  for (const sent of halves) sent.write('--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{');
  const small = () => csv('email', 'late@people.test');
  await expect.poll(async () => (await send(small())).status, { interval: 100, timeout: 10_000 }).toBe(429);
  const refused = await send(small());
  expect(refused).toMatchObject({ data: null, errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  for (const sent of halves) sent.destroy();
  await expect.poll(async () => (await send(small())).data?.importUsers?.errors, { interval: 100, timeout: 10_000 }).toEqual([]);
  await outcome();
});

test('a file from who may not import is not read', async () => {
  const before = await digestOfEverything(gatehouse);
  const refused = {
    data: { importUsers: null },
    errors: [{ path: ['importUsers'], extensions: { code: 'FORBIDDEN', permission: 'create:imports' } }],
  };
  expect(await send(csv('not', 'even', 'a', 'file'), marketing)).toMatchObject(refused);
  const body = new FormData();
  body.set('0', csv('not', 'even', 'a', 'file'));
  const response = await fetch(gatehouse.quickstart.graphqlUrl, { method: 'POST', body });
  expect({ status: response.status, body: await response.json() }).toMatchObject({
    status: 401,
    body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
  });
  expect(await digestOfEverything(gatehouse)).toBe(before);
});
