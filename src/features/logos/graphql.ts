/** Logos in the graph: where they are served, never their bytes. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { type LogoType, removeEnvironmentLogo, removeOrganizationLogo, setEnvironmentLogo, setOrganizationLogo } from './service.ts';

const LogoTypeEnum = builder.enumType('LogoType', {
  description: 'What a picture is for.',
  values: {
    LIGHT: { value: 'light', description: 'Shown on light pages.' },
    DARK: { value: 'dark', description: 'Shown on dark pages.' },
    FAVICON_SVG: { value: 'favicon_svg', description: 'The icon of a browser’s tab: an SVG.' },
    FAVICON_FALLBACK: { value: 'favicon_fallback', description: 'The same for browsers that show no SVG there.' },
    BACKGROUND: { value: 'background', description: 'Behind the pages.' },
  },
});

builder.prismaObject('Logo', {
  description: 'A picture that stands for an environment or an organization.',
  select: { environmentId: true, id: true },
  open: 'it was reached through a gated field, and is served to everybody',
  fields: (t) => ({
    type: t.field({
      type: LogoTypeEnum,
      description: 'What it is for.',
      select: { type: true },
      resolve: ({ type }) => type as LogoType,
    }),
    url: t.string({
      description: 'Where it is served, to everybody. A picture that takes its place has another address.',
      select: { id: true, environment: { select: { domain: true, isPrimary: true } } },
      resolve: ({ id, environment }, _args, { services }) => `${issuerOf(services.config, environment)}/logos/${id}`,
    }),
    contentType: t.exposeString('contentType', { description: 'What kind of picture it is, as its bytes say: `image/png`.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was set.' }),
  }),
});

builder.prismaObjectField('Environment', 'logos', (t) =>
  t.relation('logos', {
    nullable: true,
    permission: 'read:environments',
    description: 'Its pictures, at most one of each type. An organization’s own are with the organization.',
    query: { where: { organizationId: null }, orderBy: { type: 'asc' } },
  }),
);

builder.prismaObjectField('Organization', 'logos', (t) =>
  t.relation('logos', {
    nullable: true,
    permission: 'read:organizations',
    description: 'Its own pictures, at most one of each type.',
    query: { orderBy: { type: 'asc' } },
  }),
);

const CONTENT_CODES = {
  REQUIRED: 'There is no picture.',
  INVALID_BASE64: 'The text is not base64.',
  TOO_LARGE: 'The picture is not smaller than 1 MB.',
  UNSUPPORTED_TYPE: 'Not a picture of a kind that is taken.',
  UNSAFE_SVG: 'The SVG holds something else than a drawing, or refers to something outside of it.',
};

const contentBase64 = {
  required: true,
  description:
    'The picture’s bytes in base64, padded and without line breaks. A PNG, JPEG, GIF, SVG, AVIF or WEBP, which its bytes tell, smaller than 1 MB before they are encoded. An SVG is a drawing and nothing else: no script, link, animation or document type, and no reference to anything outside of it.',
} as const;

const typeArgument = { type: LogoTypeEnum, required: true, description: 'What it is for.' } as const;
const environmentId = { description: 'A machine token may leave it out: its own.' };
const organizationId = { required: true, description: 'The organization.' } as const;

defineMutation({
  name: 'setEnvironmentLogo',
  description: 'Gives an environment a picture, in the place of the one of the same type.',
  policy: { permission: setEnvironmentLogo.permission },
  codes: CONTENT_CODES,
  input: (t) => ({ environmentId: t.id(environmentId), type: t.field(typeArgument), contentBase64: t.string(contentBase64) }),
  run: (ctx, input) => setEnvironmentLogo(ctx, { ...input, type: input.type as LogoType }),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'removeEnvironmentLogo',
  description: 'Takes an environment’s picture of a type away. Where there is none, nothing changes.',
  policy: { permission: removeEnvironmentLogo.permission },
  previews: true,
  codes: {},
  input: (t) => ({ environmentId: t.id(environmentId), type: t.field(typeArgument) }),
  run: (ctx, input) => removeEnvironmentLogo(ctx, { ...input, type: input.type as LogoType }),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'setOrganizationLogo',
  description: 'Gives an organization a picture, in the place of the one of the same type.',
  policy: { permission: setOrganizationLogo.permission },
  codes: CONTENT_CODES,
  input: (t) => ({ organizationId: t.id(organizationId), type: t.field(typeArgument), contentBase64: t.string(contentBase64) }),
  run: (ctx, input) => setOrganizationLogo(ctx, { ...input, type: input.type as LogoType }),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'removeOrganizationLogo',
  description: 'Takes an organization’s picture of a type away. Where there is none, nothing changes.',
  policy: { permission: removeOrganizationLogo.permission },
  previews: true,
  codes: {},
  input: (t) => ({ organizationId: t.id(organizationId), type: t.field(typeArgument) }),
  run: (ctx, input) => removeOrganizationLogo(ctx, { ...input, type: input.type as LogoType }),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});
