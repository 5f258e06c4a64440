/** A password as the graph takes it: by its hash. */
import { builder } from '../../graphql/builder.ts';

const PasswordHashMethod = builder.enumType('PasswordHashMethod', {
  description: 'How another system hashed a password. It is kept in our own form from its first use on.',
  values: {
    BCRYPT: { value: 'bcrypt', description: 'bcrypt: `$2a$`, `$2b$` or `$2y$`.' },
    CRYPT: { value: 'crypt', description: 'crypt(3): DES, `$1$`, `$5$`, `$6$`, or bcrypt.' },
    MD5: { value: 'md5', description: 'MD5, 32 hex digits, salted or not.' },
    SHA256: { value: 'sha256', description: 'SHA-256, 64 hex digits, salted or not.' },
    WORDPRESS: { value: 'wordpress', description: 'What WordPress keeps: phpass, bcrypt, MD5 or `$wp`.' },
  },
});

const SaltPosition = builder.enumType('SaltPosition', {
  description: 'Where a salt stands.',
  values: {
    PREFIX: { value: 'prefix', description: 'Before the password.' },
    SUFFIX: { value: 'suffix', description: 'After the password.' },
  },
});

const SaltFormat = builder.enumType('SaltFormat', {
  description: 'How a salt is written.',
  values: {
    STRING: { value: 'string', description: 'As it is, in UTF-8.' },
    HEX: { value: 'hex', description: 'In hex digits.' },
  },
});

export const PasswordHash = builder.inputType('PasswordHashInput', {
  description: 'A password by its hash. Plain text is never taken.',
  fields: (t) => ({
    method: t.field({ type: PasswordHashMethod, required: true, description: 'How it was hashed.' }),
    hash: t.string({ required: true, description: 'The hash.' }),
    salt: t.string({ description: 'For MD5 and SHA256, where there is one. The other methods keep it in the hash.' }),
    saltPosition: t.field({ type: SaltPosition, description: 'Needed with a salt.' }),
    saltFormat: t.field({ type: SaltFormat, description: 'Absent: STRING.' }),
  }),
});

/** What can be wrong with a {@link PasswordHash}. */
export const HASH_CODES = {
  INVALID_HASH: 'Not a hash of the method.',
  MISSING_SALT_POSITION: 'A salt without its position.',
  INVALID_SALT: 'Not a salt in that format.',
};
