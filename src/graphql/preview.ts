/** What a dry run shows. */

import type { Effects, MemberEffect, RowEffect } from '../features/effects.ts';
import { MAX_WATCHED } from '../features/effects.ts';
import { builder } from './builder.ts';

const RowPreview = builder.objectRef<RowEffect>('RowPreview').implement({
  description: 'The rows of one kind that a change would write.',
  open: 'counts what the caller’s own change does',
  fields: (t) => ({
    kind: t.exposeString('table', { description: 'What they are, as `memberships` or `refresh_tokens`.' }),
    created: t.exposeInt('created', { description: 'How many would be made.' }),
    updated: t.exposeInt('updated', { description: 'How many would be changed.' }),
    deleted: t.exposeInt('deleted', { description: 'How many would be deleted.' }),
  }),
});

const MemberPreview = builder.objectRef<MemberEffect>('MemberPreview').implement({
  description: 'What one member would gain and lose.',
  open: 'it was reached through a gated field',
  fields: (t) => ({
    memberId: t.exposeID('memberId', { description: 'The membership.' }),
    userId: t.exposeID('userId', { description: 'Who holds it.' }),
    gained: t.exposeStringList('gained', { description: 'Permissions held afterwards and not before, sorted.' }),
    lost: t.exposeStringList('lost', { description: 'Permissions held before and not afterwards, sorted.' }),
  }),
});

const shown = `At most ${MAX_WATCHED} members are compared, the oldest first.`;

export const Preview = builder.objectRef<Effects>('ChangePreview').implement({
  description: 'What a change would do. It was run and taken back, so nothing was changed.',
  open: 'counts what the caller’s own change does',
  tenant: ({ scope }: Effects) => scope!,
  fields: (t) => ({
    rows: t.field({
      type: [RowPreview],
      description: 'The rows it would write, by kind, with everything that goes along.',
      resolve: ({ rows }) => [...rows],
    }),
    endedSessions: t.exposeInt('sessions', { description: 'Sessions that would end.' }),
    revokedTokens: t.exposeInt('tokens', { description: 'Refresh tokens that would stop working.' }),
    members: t.field({
      type: [MemberPreview],
      nullable: true,
      permission: 'read:organization_user_permissions',
      description: `Members of organizations whose permissions would change. ${shown}`,
      resolve: ({ members }) => members,
    }),
    teamMembers: t.field({
      type: [MemberPreview],
      nullable: true,
      permission: 'read:team_members',
      description: `Members of the team whose permissions would change. ${shown}`,
      resolve: ({ teamMembers }) => teamMembers,
    }),
  }),
});
