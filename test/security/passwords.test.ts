/**
 * The hashes are public test vectors where there are any (sha-crypt's specification, crypt_blowfish, phpass and passlib,
 * WordPress 6.8) and otherwise made by other software: libxcrypt, OpenSSL, coreutils.
 */
import { describe, expect, it } from 'vitest';
import {
  checkImportedHash,
  checkNewPassword,
  hashPassword,
  IMPORTABLE_METHODS,
  MAX_PASSWORD_LENGTH,
  needsRehash,
  type StoredPassword,
  verifyAgainstNothing,
  verifyPassword,
} from '../../src/security/passwords/passwords.ts';

const stored = (method: string, hash: string, salt?: string, saltPosition?: string, saltFormat?: string): StoredPassword => ({
  method,
  hash,
  salt: salt ?? null,
  saltPosition: saltPosition ?? null,
  saltFormat: saltFormat ?? null,
});

const PHRASE = 'correct horse';
const UMLAUTS = 'pässwörd€';

const VECTORS: [name: string, password: string, stored: StoredPassword][] = [
  ['md5 without salt', 'hello', stored('md5', '5d41402abc4b2a76b9719d911017c592')],
  ['md5 in capitals', 'hello', stored('md5', '5D41402ABC4B2A76B9719D911017C592')],
  ['md5 of letters beyond ASCII', UMLAUTS, stored('md5', '3ab2c1301b7f469bd663e7e45529020a')],
  ['md5 with a salt before', 'hello', stored('md5', '06decc8b095724f80103712c235586be', 'salt', 'prefix')],
  [
    'md5 with an escape in the salt, taken literally',
    'hello',
    stored('md5', '803bf0e84768b1669a9069744d10e0ce', 'a\\n', 'prefix', 'string'),
  ],
  [
    'sha256 with a salt after',
    'hello',
    stored('sha256', '87daba3fe263b34c335a0ee3b28ffec4d159aad6542502eaf551dc7b9128c267', 'salt', 'suffix', 'string'),
  ],
  [
    'sha256 with a salt in hex',
    'hello',
    stored('sha256', '4bd693c9f33703a5a3464c75a2afebc4a254955912023f543003ea0cef6f7c2a', 'DEADbeef', 'prefix', 'hex'),
  ],
  ['bcrypt $2a$', 'U*U', stored('bcrypt', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')],
  ['bcrypt of nothing', '', stored('bcrypt', '$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.')],
  ['bcrypt $2b$ of letters beyond ASCII', UMLAUTS, stored('bcrypt', '$2b$05$abcdefghijklmnopqrstuufb0xBZesbzLgkcQv6N0hvKkXeOJ1uSy')],
  ['bcrypt $2y$ of 72 bytes', 'x'.repeat(72), stored('bcrypt', '$2y$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q')],
  [
    'bcrypt of more than 72 bytes',
    '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored',
    stored('bcrypt', '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui'),
  ],
  ['DES crypt', 'foob', stored('crypt', 'arlEKn0OzVJn.')],
  ['DES crypt of letters beyond ASCII', 'pässwörd', stored('crypt', 'zZw8laZTywrOQ')],
  ['DES crypt of more than eight bytes', 'longpassword123', stored('crypt', './x0kTlw5iEAs')],
  ['md5-crypt', PHRASE, stored('crypt', '$1$saltsalt$NuzA7WTAelpl95xgBGWN60')],
  ['md5-crypt of nothing', '', stored('crypt', '$1$x$fwjfZtMwarkdetsjiQreU1')],
  ['md5-crypt of more than a digest', 'a'.repeat(20), stored('crypt', '$1$12345678$hjneAqzmpBlmgsFZGQwyU1')],
  ['md5-crypt of letters beyond ASCII', UMLAUTS, stored('crypt', '$1$abc$kQhkswE5/U7Hdt8iZZbGo/')],
  ['sha256-crypt', 'Hello world!', stored('crypt', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5')],
  [
    'sha256-crypt with rounds',
    'Hello world!',
    stored('crypt', '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA'),
  ],
  ['sha256-crypt of letters beyond ASCII', UMLAUTS, stored('crypt', '$5$rounds=1000$short$cx2.cqAstXWJo7Lftn0nYOlgoPdl4jdCdrVPwffrfO7')],
  ['sha256-crypt of more than a digest', 'x'.repeat(200), stored('crypt', '$5$zz$Tzc7db5mZojM7SUkL42v7otGFjngdLmFk98rJMIimg6')],
  [
    'sha512-crypt',
    'Hello world!',
    stored('crypt', '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1'),
  ],
  [
    'sha512-crypt of nothing',
    '',
    stored('crypt', '$6$zz$W1l2kcyVZyUpO2IrHasZE3jt1QRO8n.Ko013qyFC/YLE/qPebUvlW7eW/MZ1AdvsWlTrJamrgH4faukSYenZX1'),
  ],
  [
    'sha512-crypt with rounds',
    'we have a short salt string but not a short password',
    stored('crypt', '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0'),
  ],
  [
    'sha512-crypt of more than a digest',
    'x'.repeat(200),
    stored('crypt', '$6$zz$PRjX2pVw2OUPtvLqbGcZtpwi2qeLBnJpQuKmcZzNl7EgGHvjcAaM73u2bg4PB4Sg8hX.Uvik/gSa7IitVdSLQ0'),
  ],
  ['crypt with bcrypt', 'U*U', stored('crypt', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')],
  ['phpass', 'test12345', stored('wordpress', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0')],
  ['phpass from phpBB', 'test1', stored('wordpress', '$H$9aaaaaSXBjgypwqm.JsMssPLiS8YQ00')],
  ['phpass of letters beyond ASCII', 'ąćęłóńśźż', stored('wordpress', '$P$ByXWbzDvVAJ0jxvNp5sv4xYPIRXJJ1.')],
  ['an old WordPress with md5', 'hello', stored('wordpress', '5d41402abc4b2a76b9719d911017c592')],
  ['WordPress 6.8', 'admin', stored('wordpress', '$wp$2y$10$Q1xinFjrZeLWJBvxviIL6u834Fu.evIEFHAUVisQ5O.w9Dm0sMdES')],
  [
    'WordPress 6.8, with spaces round it',
    ` ${PHRASE}\n`,
    stored('wordpress', '$wp$2y$08$abcdefghijklmnopqrstuuaXqaYr7OyQf1nmspk51IKqnE.LY722.'),
  ],
  ['WordPress with plain bcrypt', 'U*U', stored('wordpress', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')],
];

describe('imported hashes', () => {
  it.each(VECTORS)('verifies %s', async (_name, password, vector) => {
    expect(checkImportedHash(vector)).toBeUndefined();
    expect(await verifyPassword(vector, password)).toBe(true);
    expect(await verifyPassword(vector, `!${password}`)).toBe(false);
    expect(await verifyPassword(vector, 'something else')).toBe(false);
    expect(needsRehash(vector)).toBe(true);
  });

  it('puts a salt where it was told to and nowhere else', async () => {
    const hash = '06decc8b095724f80103712c235586be';
    expect(await verifyPassword(stored('md5', hash, 'salt', 'suffix'), 'hello')).toBe(false);
    expect(await verifyPassword(stored('md5', hash), 'hello')).toBe(false);
    expect(await verifyPassword(stored('md5', hash, '73616c74', 'prefix', 'hex'), 'hello')).toBe(true);
    expect(await verifyPassword(stored('md5', hash, '73616c74', 'prefix', 'string'), 'hello')).toBe(false);
  });

  it.each([
    ['missing_hashing_method', stored('', '5d41402abc4b2a76b9719d911017c592')],
    ['unsupported_hashing_method', stored('scrypt', 'x')],
    ['unsupported_hashing_method', stored('argon2id', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g')],
    ['invalid_hash', stored('md5', '#########')],
    ['invalid_hash', stored('md5', '5d41402abc4b2a76b9719d911017c592\n')],
    ['invalid_hash', stored('md5', '87daba3fe263b34c335a0ee3b28ffec4d159aad6542502eaf551dc7b9128c267')],
    ['invalid_hash', stored('sha256', '5d41402abc4b2a76b9719d911017c592')],
    ['invalid_hash', stored('bcrypt', '$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')],
    ['invalid_hash', stored('bcrypt', '$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')],
    ['invalid_hash', stored('bcrypt', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyO')],
    [
      'invalid_hash',
      stored('crypt', '$6$rounds=999999999$salt$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1'),
    ],
    ['invalid_hash', stored('crypt', '$5$salt$short')],
    ['invalid_hash', stored('crypt', '$y$j9T$abc$def')],
    ['invalid_hash', stored('crypt', '')],
    ['invalid_hash', stored('wordpress', '$P$ZIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0')],
    ['invalid_hash', stored('wordpress', '$wp$2y$10$short')],
    ['missing_salt_position', stored('md5', '06decc8b095724f80103712c235586be', 'salt')],
    ['invalid_salt_position', stored('sha256', '87daba3fe263b34c335a0ee3b28ffec4d159aad6542502eaf551dc7b9128c267', 'salt', 'middle')],
    ['invalid_salt_format', stored('md5', '06decc8b095724f80103712c235586be', 'salt', 'prefix', 'base64')],
    ['invalid_salt_format', stored('md5', '06decc8b095724f80103712c235586be', 'abc', 'prefix', 'hex')],
  ])('refuses with %s, and verifies nothing', async (problem, bad) => {
    expect(checkImportedHash(bad)).toBe(problem);
    if (bad.method !== 'argon2id') expect(await verifyPassword(bad, 'hello')).toBe(false);
  });

  it('ignores the salt columns of methods whose hash holds its salt', () => {
    for (const [, , vector] of VECTORS.filter(([, , { method }]) => !['md5', 'sha256'].includes(method))) {
      expect(checkImportedHash({ ...vector, salt: 'x', saltPosition: null, saltFormat: 'odd' })).toBeUndefined();
    }
  });

  it('knows the five methods', () => {
    expect([...IMPORTABLE_METHODS].sort()).toEqual(['bcrypt', 'crypt', 'md5', 'sha256', 'wordpress']);
  });
});

describe('hashes that somebody has made slow', () => {
  const SLOW: [name: string, password: string, stored: StoredPassword][] = [
    ['bcrypt of cost 13', 'wrong', stored('bcrypt', '$2b$13$abcdefghijklmnopqrstuufb0xBZesbzLgkcQv6N0hvKkXeOJ1uSy')],
    ['WordPress with bcrypt of cost 13', 'wrong', stored('wordpress', '$wp$2y$13$abcdefghijklmnopqrstuuaXqaYr7OyQf1nmspk51IKqnE.LY722.')],
    ['sha-crypt of 200,000 rounds', 'wrong', stored('crypt', `$5$rounds=200000$salt$${'x'.repeat(43)}`)],
    ['sha-crypt of a long password', '€'.repeat(MAX_PASSWORD_LENGTH), stored('crypt', `$6$rounds=5000$salt$${'x'.repeat(86)}`)],
    ['phpass of 2^17 rounds', 'wrong', stored('wordpress', `$P$Fabcdefgh${'x'.repeat(22)}`)],
  ];

  it.each(SLOW)('wait for one another: %s', async (_name, password, slow) => {
    expect(checkImportedHash(slow)).toBeUndefined();
    const start = performance.now();
    const timed = () => verifyPassword(slow, password).then(() => performance.now() - start);
    const times = await Promise.all([timed(), timed(), timed()]);
    expect(times[0]).toBeLessThan(times[2]! * 0.6);
  });

  it('leave room for everybody else', async () => {
    const [, , slow] = SLOW[0]!;
    const ours = await hashPassword(PHRASE);
    const start = performance.now();
    const timed = (hash: StoredPassword) => verifyPassword(hash, 'wrong').then(() => performance.now() - start);
    const [mine, ...theirs] = await Promise.all([...Array.from({ length: 6 }, () => timed(slow)), timed(ours)].reverse());
    expect(mine).toBeLessThan(Math.min(...theirs) / 2);
  });
});

describe('our own hashes', () => {
  it('verifies what it hashed, with a new salt each time', async () => {
    const [first, second] = await Promise.all([hashPassword(UMLAUTS), hashPassword(UMLAUTS)]);
    expect(first.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(first.hash).not.toBe(second.hash);
    expect(needsRehash(first)).toBe(false);
    expect(await verifyPassword(first, UMLAUTS)).toBe(true);
    expect(await verifyPassword(first, PHRASE)).toBe(false);
  });

  it('verifies other parameters, and says that they are not of today', async () => {
    // From the reference implementation's test.c.
    const weaker = stored('argon2id', '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4');
    expect(await verifyPassword(weaker, 'password')).toBe(true);
    expect(needsRehash(weaker)).toBe(true);
  });

  it('answers no to a malformed hash, a foreign method and a password without end', async () => {
    expect(await verifyPassword(stored('argon2id', 'nonsense'), 'x')).toBe(false);
    expect(await verifyPassword(stored('argon2id', '$argon2id$v=19$m=0,t=0,p=0$AAAAAAAAAAA$AAAAAAAAAAAAAAAA'), 'x')).toBe(false);
    expect(await verifyPassword(stored('rot13', 'x'), 'x')).toBe(false);
    expect(
      await verifyPassword(
        stored('crypt', '$6$zz$W1l2kcyVZyUpO2IrHasZE3jt1QRO8n.Ko013qyFC/YLE/qPebUvlW7eW/MZ1AdvsWlTrJamrgH4faukSYenZX1'),
        'x'.repeat(1e6),
      ),
    ).toBe(false);
  });

  it('spends as long on a wrong password in a fast format, and on no account, as on one of ours', async () => {
    const fast = stored('md5', '5d41402abc4b2a76b9719d911017c592');
    const ours = await hashPassword(PHRASE);
    const timed = async (work: () => Promise<boolean>) => {
      const start = performance.now();
      for (let run = 0; run < 5; run++) expect(await work()).toBe(false);
      return performance.now() - start;
    };
    const expected = await timed(() => verifyPassword(ours, 'wrong'));
    expect(await timed(() => verifyPassword(fast, 'wrong'))).toBeGreaterThan(expected / 3);
    expect(await timed(() => verifyAgainstNothing('wrong'))).toBeGreaterThan(expected / 3);
  });
});

describe('new passwords', () => {
  it('counts characters, not code units', () => {
    expect(checkNewPassword('1234567')).toBe('too_short');
    expect(checkNewPassword('😀'.repeat(7))).toBe('too_short');
    expect(checkNewPassword('12345678')).toBeUndefined();
    expect(checkNewPassword('x'.repeat(MAX_PASSWORD_LENGTH))).toBeUndefined();
    expect(checkNewPassword('x'.repeat(MAX_PASSWORD_LENGTH + 1))).toBe('too_long');
  });
});
