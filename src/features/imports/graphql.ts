/** Imports in the graph: upload, progress, and what was wrong with which line. */
import { builder, bytesOf } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { importUsers } from './service.ts';

export const ImportState = builder.enumType('ImportState', {
  description: 'How far an import is.',
  values: {
    QUEUED: { value: 'queued', description: 'It has not started yet.' },
    RUNNING: { value: 'running', description: 'Lines are being applied.' },
    COMPLETED: { value: 'completed', description: 'Every line was applied or rejected.' },
    FAILED: { value: 'failed', description: 'It cannot go on; what was applied stays.' },
  },
});

const Severity = builder.enumType('ImportIssueSeverity', {
  description: 'What an issue did to its line.',
  values: {
    REJECTED: { value: 'rejected', description: 'The line was not imported.' },
    WARNING: { value: 'warning', description: 'The line was imported without the part in question.' },
  },
});

builder.prismaObject('ImportIssue', {
  description: 'Something that was wrong with a line.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:imports',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The issue’s id.' }),
    line: t.exposeInt('line', { nullable: true, description: 'The line in the file; the header is 1.' }),
    severity: t.field({
      type: Severity,
      nullable: true,
      description: 'What it did to the line.',
      select: { severity: true },
      resolve: ({ severity }) => severity as 'rejected',
    }),
    code: t.exposeString('code', { nullable: true, description: 'What was wrong, for programs: `invalid_email`, `role_not_found`, …' }),
    column: t.exposeString('column', { nullable: true, description: 'The column it is about.' }),
    message: t.exposeString('message', { nullable: true, description: 'What was wrong, in a sentence.' }),
  }),
});

export const Import = builder.prismaObject('Import', {
  description: 'A file of users on its way into an environment.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:imports',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The import’s id.' }),
    fileName: t.exposeString('fileName', { nullable: true, description: 'The file’s name.' }),
    state: t.field({
      type: ImportState,
      nullable: true,
      description: 'How far it is.',
      select: { state: true },
      resolve: ({ state }) => state as 'queued',
    }),
    failure: t.exposeString('failure', { nullable: true, description: 'Why it cannot go on.' }),
    totalLines: t.exposeInt('totalLines', { nullable: true, description: 'Lines in the file, without the header.' }),
    processedLines: t.exposeInt('processedLines', { nullable: true, description: 'Lines dealt with so far.' }),
    createdUsers: t.exposeInt('createdUsers', { nullable: true, description: 'Users that were made.' }),
    updatedUsers: t.exposeInt('updatedUsers', {
      nullable: true,
      description: 'Known users that gained a membership, a role or a password.',
    }),
    unchangedUsers: t.exposeInt('unchangedUsers', { nullable: true, description: 'Known users with nothing new.' }),
    rejectedLines: t.exposeInt('rejectedLines', { nullable: true, description: 'Lines that were not imported.' }),
    warnings: t.exposeInt('warnings', { nullable: true, description: 'Parts of lines that were left out.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was uploaded.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When the first line was dealt with.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When the last line was dealt with.' }),
    issues: t.relatedConnection('issues', {
      cursor: 'environmentId_id',
      totalCount: true,
      nullable: true,
      description: 'What was wrong, by line.',
      query: { orderBy: [{ line: 'asc' }, { id: 'asc' }] },
    }),
  }),
});

registerNode('import', {
  typeName: 'Import',
  permission: 'read:imports',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.import.findFirst(query),
});
registerNode('importIssue', {
  typeName: 'ImportIssue',
  permission: 'read:imports',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.importIssue.findFirst(query),
});

defineMutation({
  name: 'importUsers',
  description:
    'Imports users from a CSV file, as a job that survives a restart. Nobody is mailed. It takes the permission `create:users` too, and for what the file holds `update:user_contacts` (verified contacts), `update:user_passwords` (passwords), `create:organization_users`, `create:organization_user_roles` and `create:organization_user_permissions`.',
  policy: importUsers,
  codes: {
    FILE_TOO_LARGE: 'The file is larger than the limit.',
    BAD_ENCODING: 'The file is not UTF-8.',
    MISSING_HEADER: 'The first line names no column that identifies a user.',
    EMPTY_FILE: 'The file has no lines after its header.',
    BAD_CSV: 'The file is not well-formed CSV.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    file: t.field({ type: 'File', required: true, description: 'UTF-8 CSV with a header line, at most 49 MB.' }),
  }),
  prepare: async (ctx, input) =>
    importUsers.prepare(ctx, {
      environmentId: input.environmentId,
      fileName: input.file.name,
      content: await bytesOf(input.file),
    }),
  payload: (t) => ({
    import: changed(t, 'Import', 'The new import; ask for it again to see its progress.'),
  }),
});
