/**
 * docs/graph.md, sent as it stands: each of its operations gets the answer that is written there. Ids, moments and secrets
 * differ from run to run; they must be the same ones where the page has the same ones. Run with UPDATE_DOCS=1, it
 * writes the answers into the page instead; in a new operation's variables, `@user` and the like stand for ids.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { createFeatureFlag } from '../../src/features/flags/service.ts';
import { addOrganizationMember, createOrganization } from '../../src/features/organizations/service.ts';
import { createPermission } from '../../src/features/permissions/service.ts';
import { createProperty } from '../../src/features/properties/service.ts';
import { updateUserProperties } from '../../src/features/property-values/service.ts';
import { createRole } from '../../src/features/roles/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken } from '../helpers/user-agent.ts';
import { operator } from './world.ts';

const PAGE = join(import.meta.dirname, '../../docs/graph.md');
const OPERATION = /```graphql\n(.*?)```\n(?:\n```json variables\n(.*?)```\n)?(?:\n```json answer\n(.*?)```\n)?/gs;
const ID = /\b[a-z]+(?:_[a-z]+)?_[0-9a-f]{32}\b/g;

const gatehouse = startApp();
const names: Record<string, string> = {};
let token: string;

beforeAll(async () => {
  const ctx = operator(gatehouse);
  const { id: environmentId, businessId } = await ctx.db.environment.findFirstOrThrow({ where: { isPrimary: true } });
  const permission = await createPermission(ctx, { businessId, key: 'write:invoices', name: 'Write invoices' });
  const role = await createRole(ctx, { businessId, key: 'accountant', name: 'Accountant', permissionIds: [permission.id] });
  const organization = await createOrganization(ctx, { environmentId, name: 'Initech', externalId: 'abc001' });
  const users = [];
  for (const firstName of ['Jane', 'Rick'])
    users.push(
      await createUser(ctx, {
        ...{ environmentId, firstName, lastName: 'Roe', email: `${firstName.toLowerCase()}@example.test`, isEmailVerified: true },
        organizationId: organization.id,
      }),
    );
  const [jane] = users;
  const other = await createOrganization(ctx, { environmentId, name: 'Globex' });
  const member = await addOrganizationMember(ctx, { organizationId: other.id, userId: jane!.id, roleIds: [role.id] });
  await createFeatureFlag(ctx, {
    ...{ businessId, key: 'new-invoices', name: 'New invoices', type: 'boolean', defaultValue: false, overrideLevels: ['user'] },
  });
  const property = await createProperty(ctx, {
    ...{ businessId, key: 'tier', name: 'Tier', type: 'single_line_text', context: 'user', isPrivate: false },
  });
  await updateUserProperties(ctx, { userId: jane!.id, values: [{ propertyId: property.id, value: 'Gold' }] });
  Object.assign(names, { environment: environmentId, organization: organization.id, user: jane!.id, member: member.id, role: role.id });
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});

/** The value with what differs from run to run taken out. */
function settled(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"2026-11-25T12:00:00.000Z"')
    .replace(/(?<="clientSecret":")\w+/g, 'shownThisOnce')
    .replace(/http:\/\/localhost:\d+/g, 'http://localhost:3000')
    .replace(/(?<=\/preview\/)[\w-]{43}/g, 'shownForTenMinutes')
    .replace(/"requestId":"[^"]+"/g, '"requestId":"req-1"');
  return JSON.parse(text);
}

/** JSON with each object and list on one line as long as that fits. */
function laidOut(value: unknown, indent = ''): string {
  const flat = JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
  if (flat.length + indent.length <= 110 || value === null || typeof value !== 'object') return flat;
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Array.isArray(value)
    ? value.map((each) => laidOut(each, deeper))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${laidOut(each, deeper)}`);
  return `${open}\n${deeper}${parts.join(`,\n${deeper}`)}\n${indent}${close}`;
}

test('the operations of docs/graph.md get the answers that are written there', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const isUpdate = process.env['UPDATE_DOCS'] === '1';
  /** Ids of the page, with those of this run: where the page shows an id for the first time, it is learned. */
  const real = new Map<string, string>();
  const inRun = (text: string) => text.replace(ID, (id) => real.get(id) ?? id).replace(/@(\w+)/g, (whole, name) => names[name] ?? whole);
  let written = page;
  let count = 0;
  for (const [block, document = '', given, answer] of page.matchAll(OPERATION)) {
    count++;
    const { data, errors } = await ask<unknown, object>(gatehouse, token, document, JSON.parse(inRun(given ?? '{}')));
    const got = settled({ data, ...(errors.length > 0 && { errors }) });
    if (isUpdate) {
      const variables = given && `\n\`\`\`json variables\n${inRun(given)}\`\`\`\n`;
      written = written.replace(
        block,
        () => `\`\`\`graphql\n${document}\`\`\`\n${variables ?? ''}\n\`\`\`json answer\n${laidOut(got)}\n\`\`\`\n`,
      );
      continue;
    }
    expect(answer, document).toBeDefined();
    const wanted = JSON.stringify(settled(JSON.parse(answer!)));
    const seen = JSON.stringify(got);
    const [there, here] = [wanted.match(ID) ?? [], seen.match(ID) ?? []];
    for (const [index, id] of there.entries()) if (!real.has(id) && here[index]) real.set(id, here[index]);
    const clientIds = (text: string) => text.replace(/"clientId":"[0-9a-f]{32}"/g, '"clientId":"…"');
    expect(JSON.parse(clientIds(seen)), document).toEqual(JSON.parse(clientIds(inRun(wanted))));
  }
  expect(count).toBeGreaterThanOrEqual(10);
  if (isUpdate) writeFileSync(PAGE, written);
});
