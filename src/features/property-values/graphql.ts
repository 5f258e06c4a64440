/** The values of properties in the graph: on users, organizations and applications. */
import type { InputFieldMap } from '@pothos/core';
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { Property } from '../properties/graphql.ts';
import { MAX_PROPERTIES } from '../properties/service.ts';
import { updateApplicationProperties, updateOrganizationProperties, updateUserProperties } from './service.ts';

interface ValueRow {
  readonly value: string;
  readonly property: unknown;
}

const PropertyValue = builder.objectRef<ValueRow>('PropertyValue').implement({
  description: 'What is noted of one property.',
  open: 'it was reached through a gated field',
  fields: (t) => ({
    property: t.field({ type: Property, description: 'The property.', resolve: ({ property }) => property as never }),
    value: t.exposeString('value', { description: 'What is noted. `true` or `false` for a boolean.' }),
  }),
});

for (const [type, permission] of [
  ['User', 'read:user_properties'],
  ['Organization', 'read:organization_properties'],
  ['Application', 'read:application_properties'],
] as const)
  builder.prismaObjectField(type as 'User', 'properties', (t) =>
    t.field({
      type: [PropertyValue],
      nullable: true,
      permission,
      description: `What is noted of the business’s properties, by key; at most ${MAX_PROPERTIES}. A property without a value is left out.`,
      select: (_args, _ctx, nested) =>
        ({
          properties: {
            select: {
              value: true,
              property: (nested as (selection: object, path: string[]) => object)({ select: { id: true } }, ['property']),
            },
            orderBy: { property: { key: 'asc' } },
          },
        }) as never,
      resolve: (row) => (row as unknown as { properties: ValueRow[] }).properties,
    }),
  );

const PropertyValueInput = builder.inputType('PropertyValueInput', {
  description: 'A value to note.',
  fields: (t) => ({
    propertyId: t.id({ required: true, description: 'The property.' }),
    value: t.string({ description: 'At most 2000 characters; null or absent clears it.' }),
  }),
});

type InputFields = Parameters<Parameters<typeof defineMutation<InputFieldMap, unknown>>[0]['input']>[0];

const values = (t: InputFields) =>
  t.field({ type: [PropertyValueInput], required: true, description: 'What to note, at most 100; other properties stay as they are.' });

const codes = {
  TOO_MANY: 'More than 100 values.',
  REPEATED: 'A property is named twice.',
  OTHER_CONTEXT: 'The property is not noted about such objects.',
  INVALID_VALUE: 'Not a value of the property’s type.',
};

defineMutation({
  name: 'updateUserProperties',
  description: 'Notes values of properties about a user, all of them or none.',
  policy: { permission: updateUserProperties.permission },
  codes,
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }), values: values(t) }),
  run: (ctx, input) => updateUserProperties(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'updateOrganizationProperties',
  description: 'Notes values of properties about an organization, all of them or none.',
  policy: { permission: updateOrganizationProperties.permission },
  codes,
  input: (t) => ({ organizationId: t.id({ required: true, description: 'The organization.' }), values: values(t) }),
  run: (ctx, input) => updateOrganizationProperties(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'updateApplicationProperties',
  description: 'Notes values of properties about an application, all of them or none.',
  policy: { permission: updateApplicationProperties.permission },
  codes,
  input: (t) => ({ applicationId: t.id({ required: true, description: 'The application.' }), values: values(t) }),
  run: (ctx, input) => updateApplicationProperties(ctx, input),
  payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
});
