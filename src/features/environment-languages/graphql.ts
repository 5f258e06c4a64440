/** An environment's languages in the graph. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { LANGUAGES } from '../../languages/languages.ts';
import { updateEnvironmentLanguages } from './service.ts';

const TAGS = `BCP 47 tags, of these: ${LANGUAGES.join(', ')}.`;

builder.prismaObjectFields('Environment', (t) => ({
  languages: t.exposeStringList('languages', {
    nullable: true,
    permission: 'read:branding',
    description: 'What its pages and mails speak, as BCP 47 tags; empty: every language that there is.',
  }),
  defaultLanguage: t.exposeString('defaultLanguage', {
    nullable: true,
    permission: 'read:branding',
    description: 'What people are spoken to in who understand none of its languages, or say nothing.',
  }),
}));

defineMutation({
  name: 'updateEnvironmentLanguages',
  description:
    'Says which languages an environment’s pages and mails speak. A person gets the first that is spoken of: the one that the application asks for, those that the browser prefers, the default.',
  policy: { permission: updateEnvironmentLanguages.permission },
  versioned: true,
  codes: { UNKNOWN_LANGUAGE: 'Not one of the languages that there are.', DEFAULT_NOT_SPOKEN: 'The default is not one of the languages.' },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    languages: t.stringList({ description: `All of them, from now on; none: every language that there is. ${TAGS} Absent: unchanged.` }),
    defaultLanguage: t.string({ description: 'One of the languages. Absent: unchanged.' }),
  }),
  run: (ctx, input) => updateEnvironmentLanguages(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});
