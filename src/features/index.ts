/** Loads every feature's part of the graph. A new feature is one line here. */
import './apis/graphql.ts';
import './applications/graphql.ts';
import './applications/tokens/graphql.ts';
import './applications/urls/graphql.ts';
import './businesses/graphql.ts';
import './environments/graphql.ts';
import './flags/graphql.ts';
import './imports/graphql.ts';
import './operations/graphql.ts';
import './organizations/graphql.ts';
import './properties/graphql.ts';
import './property-values/graphql.ts';
import './roles/graphql.ts';
import './sign-in-policies/graphql.ts';
import './team/graphql.ts';
import './users/graphql.ts';
