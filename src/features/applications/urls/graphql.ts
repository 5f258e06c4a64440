/** Callback and logout URLs in the graph. */
import { changed, defineMutation } from '../../../graphql/payload.ts';
import { addCallbackUrls, addLogoutUrls, removeCallbackUrls, removeLogoutUrls, replaceCallbackUrls, replaceLogoutUrls } from './service.ts';

const RULES =
  'Absolute https URLs, compared letter for letter; http for localhost, where one without a port stands for every port; other schemes for applications on devices. One `*` may stand for a part of the leftmost host label.';

const ADDS_URLS = { INVALID_URL: 'Not usable as a callback or logout URL.', TOO_MANY_URLS: 'The application would have more than 100.' };

for (const [noun, what, add, replace, remove] of [
  ['CallbackUrls', 'where a sign-in may lead back to', addCallbackUrls, replaceCallbackUrls, removeCallbackUrls],
  ['LogoutUrls', 'where a sign-out may lead', addLogoutUrls, replaceLogoutUrls, removeLogoutUrls],
] as const) {
  defineMutation({
    name: `add${noun}`,
    description: `Adds to ${what}. What is there already stays.`,
    policy: { permission: add.permission },
    previews: true,
    codes: ADDS_URLS,
    input: (t) => ({
      applicationId: t.id({ required: true, description: 'The application.' }),
      urls: t.stringList({ required: true, description: RULES }),
    }),
    run: (ctx, input) => add(ctx, input),
    payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
  });

  defineMutation({
    name: `replace${noun}`,
    description: `Says anew ${what}.`,
    policy: { permission: replace.permission },
    previews: true,
    codes: ADDS_URLS,
    input: (t) => ({
      applicationId: t.id({ required: true, description: 'The application.' }),
      urls: t.stringList({ required: true, description: `All of them from now on, at most 100. ${RULES}` }),
    }),
    run: (ctx, input) => replace(ctx, input),
    payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
  });

  defineMutation({
    name: `remove${noun}`,
    description: `Takes from ${what}. A sign-in or sign-out that is under way there still ends there.`,
    policy: { permission: remove.permission },
    previews: true,
    codes: {},
    input: (t) => ({
      applicationId: t.id({ required: true, description: 'The application.' }),
      urls: t.stringList({ required: true, description: 'As they are registered; one that is not is left out.' }),
    }),
    run: (ctx, input) => remove(ctx, input),
    payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
  });
}
