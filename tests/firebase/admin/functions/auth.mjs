// What functions do with users. `run` begins the identifiers of a run, so that two runs can share a project.
export const auth = ({ app: apps, auth: sdk, run, identity }) => {
  const auth = sdk.getAuth();
  const uid = (name) => `${run}-${name}`;
  const email = (name) => `${run}-${name}@example.com`;
  const attempt = async (work) => {
    try {
      return await work();
    } catch (error) {
      return error;
    }
  };
  // What of a user is the same in every run.
  const plain = (user) => {
    const { metadata, tokensValidAfterTime, passwordHash, passwordSalt, ...rest } = user.toJSON();
    return { ...rest, made: typeof metadata.creationTime, signed: metadata.lastSignInTime, refreshed: metadata.lastRefreshTime, valid: typeof tokensValidAfterTime, hash: typeof passwordHash, salt: typeof passwordSalt };
  };
  // A token as a client has it, unsigned as an emulator's are.
  const write = (data) => Buffer.from(JSON.stringify(data)).toString('base64url');
  const token = (claims, issuer = 'https://securetoken.google.com/') => {
    const now = Math.floor(Date.now() / 1000);
    const project = process.env.GCLOUD_PROJECT;
    return `${write({ alg: 'none', typ: 'JWT' })}.${write({ iss: `${issuer}${project}`, aud: project, auth_time: now, iat: now, exp: now + 3600, sub: claims.user_id, ...claims })}.`;
  };
  const phone = (last) => `+1555${run === 'genuine' ? '1' : '2'}00${last}`;
  return {
    async 'a user is made, found, changed and deleted'() {
      const made = await auth.createUser({ uid: uid('a'), email: email('a'), emailVerified: true, password: 'secret1', displayName: 'Ann', photoURL: 'https://example.com/a.png', disabled: false });
      const byEmail = await auth.getUserByEmail(email('a'));
      const changed = await auth.updateUser(uid('a'), { displayName: 'Bea', photoURL: null, email: email('b'), disabled: true });
      await auth.deleteUser(uid('a'));
      return [plain(made), byEmail.uid, plain(changed), await attempt(() => auth.getUser(uid('a'))), await attempt(() => auth.deleteUser(uid('a')))];
    },
    async 'identifiers are given where there are none'() {
      const made = await auth.createUser({});
      await auth.deleteUser(made.uid);
      const { uid: given, ...rest } = plain(made);
      return [given.length > 10, rest];
    },
    async 'what is refused'() {
      await auth.createUser({ uid: uid('taken'), email: email('taken'), phoneNumber: phone('0001') });
      const tries = [() => auth.createUser({ uid: uid('taken') }), () => auth.createUser({ email: email('taken') }), () => auth.createUser({ phoneNumber: phone('0001') }), () => auth.createUser({ email: 'x' }), () => auth.createUser({ password: 'short' }), () => auth.createUser({ phoneNumber: '5' }), () => auth.createUser({ displayName: 5 }), () => auth.createUser({ photoURL: 'x' }), () => auth.createUser({ disabled: 'x' }), () => auth.createUser({ emailVerified: 1 }), () => auth.createUser({ uid: '' }), () => auth.createUser(null), () => auth.createUser({ customAttributes: {} }), () => auth.getUser(''), () => auth.getUser(5), () => auth.getUserByEmail('x'), () => auth.getUserByEmail('none@example.com'), () => auth.getUserByPhoneNumber('x'), () => auth.getUserByPhoneNumber('+15559999999'), () => auth.updateUser(uid('none'), { displayName: 'x' }), () => auth.updateUser('', {}), () => auth.updateUser(uid('taken'), null), () => auth.updateUser(uid('taken'), { password: 'x' }), () => auth.deleteUsers('x'), () => auth.getUsers('x'), () => auth.getUsers([{ nothing: 1 }]), () => auth.listUsers(0), () => auth.listUsers(1001), () => auth.listUsers(10, ''), () => auth.setCustomUserClaims(uid('taken'), 'x'), () => auth.setCustomUserClaims(uid('taken'), { sub: 1 }), () => auth.setCustomUserClaims(uid('taken'), { sub: 1, aud: 2 }), () => auth.setCustomUserClaims(uid('taken'), { big: 'x'.repeat(1000) }), () => auth.setCustomUserClaims(uid('none'), {})];
      const out = [];
      for (const each of tries) out.push(await attempt(each));
      const codes = out.map((error) => [error.code, error.message, error.hasCode?.('user-not-found'), error instanceof sdk.FirebaseAuthError, error.codePrefix, JSON.stringify(error)]);
      await auth.deleteUser(uid('taken'));
      return codes;
    },
    async 'phones and linked providers'() {
      await auth.createUser({ uid: uid('p'), phoneNumber: phone('0002') });
      const linked = await auth.updateUser(uid('p'), { providerToLink: { providerId: 'google.com', uid: uid('g'), email: email('g'), displayName: 'G', photoURL: 'https://example.com/g.png' } });
      const found = await auth.getUserByProviderUid('google.com', uid('g'));
      const byPhone = await auth.getUserByProviderUid('phone', phone('0002'));
      const unlinked = await auth.updateUser(uid('p'), { providersToUnlink: ['google.com'], phoneNumber: null });
      await auth.deleteUser(uid('p'));
      return JSON.parse(JSON.stringify([plain(linked), found.uid, byPhone.uid, plain(unlinked)]).replaceAll(phone('0002'), 'PHONE'));
    },
    async 'many users'() {
      for (const name of ['m1', 'm2', 'm3']) await auth.createUser({ uid: uid(name), email: email(name) });
      const { users, notFound } = await auth.getUsers([{ uid: uid('m1') }, { email: email('m2') }, { uid: uid('none') }, { providerId: 'google.com', providerUid: 'x' }]);
      const listed = await auth.listUsers(1000);
      const paged = await auth.listUsers(1);
      const deleted = await auth.deleteUsers([uid('m1'), uid('m2'), uid('m3'), uid('none')]);
      return [users.map((user) => user.uid).sort(), notFound, listed.users.map((user) => user.uid).filter((each) => each.startsWith(uid('m'))), typeof paged.pageToken, paged.users.length, deleted, await auth.getUsers([]), await auth.deleteUsers([])];
    },
    async 'claims reach the token and the record'() {
      await auth.createUser({ uid: uid('c') });
      await auth.setCustomUserClaims(uid('c'), { admin: true, level: 3 });
      const first = (await auth.getUser(uid('c'))).customClaims;
      await auth.setCustomUserClaims(uid('c'), null);
      const second = (await auth.getUser(uid('c'))).customClaims;
      await auth.deleteUser(uid('c'));
      return [first, second];
    },
    async 'tokens are read'() {
      await auth.createUser({ uid: uid('t'), email: email('t') });
      const good = await auth.verifyIdToken(token({ user_id: uid('t'), email: email('t'), role: 'x' }));
      const now = Math.floor(Date.now() / 1000);
      const tries = ['x', 5, '', 'a.b.c', token({ user_id: uid('t'), exp: now - 10 }), token({ user_id: uid('t'), aud: 'other' }), token({ user_id: uid('t') }, 'https://evil/'), token({ user_id: uid('t'), sub: '' }), token({ user_id: uid('t'), sub: undefined }), token({ user_id: uid('t'), sub: 'x'.repeat(129) }), token({ user_id: uid('gone') })];
      const errors = [];
      for (const each of tries) errors.push(await attempt(() => auth.verifyIdToken(each)));
      await auth.updateUser(uid('t'), { disabled: true });
      const disabled = await attempt(() => auth.verifyIdToken(token({ user_id: uid('t') })));
      await auth.updateUser(uid('t'), { disabled: false });
      await auth.revokeRefreshTokens(uid('t'));
      const revoked = await attempt(() => auth.verifyIdToken(token({ user_id: uid('t'), auth_time: now - 1000 }), true));
      const cookie = await auth.verifySessionCookie(token({ user_id: uid('t') }, 'https://session.firebase.google.com/'));
      const wrong = await attempt(() => auth.verifySessionCookie(token({ user_id: uid('t') })));
      await auth.deleteUser(uid('t'));
      const { iat, exp, auth_time: at, ...claims } = good;
      return [claims, typeof iat, typeof exp, typeof at, errors, disabled, revoked, cookie.uid, wrong];
    },
    async 'tokens and cookies are made'() {
      const made = await auth.createCustomToken(uid('x'), { premium: true });
      const [head, body, signature] = made.split('.');
      const read = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
      const { iat, exp, ...claims } = read(body);
      await auth.createUser({ uid: uid('x') });
      const signed = await fetch(`${identity}/v1/accounts:signInWithCustomToken?key=k`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: made, returnSecureToken: true }) });
      const { idToken } = await signed.json();
      const cookie = await auth.createSessionCookie(idToken, { expiresIn: 600_000 });
      const verified = await auth.verifySessionCookie(cookie);
      const { premium } = await auth.verifyIdToken(idToken);
      const tries = [() => auth.createCustomToken(''), () => auth.createCustomToken('x'.repeat(129)), () => auth.createCustomToken('x', { iss: 1 }), () => auth.createCustomToken('x', 'y'), () => auth.createSessionCookie('', { expiresIn: 600_000 }), () => auth.createSessionCookie('x', { expiresIn: 1000 }), () => auth.createSessionCookie('x'), () => auth.createSessionCookie('x', { expiresIn: 'y' })];
      const errors = [];
      for (const each of tries) errors.push(await attempt(each));
      await auth.deleteUser(uid('x'));
      return [read(head), claims, exp - iat, signature, premium, verified.uid, verified.iss.startsWith('https://session.firebase.google.com/'), errors];
    },
    async 'links for mails'() {
      await auth.createUser({ uid: uid('l'), email: email('l') });
      const settings = { url: 'https://example.com/done?x=1', handleCodeInApp: true, iOS: { bundleId: 'a.b' }, android: { packageName: 'c.d', installApp: true, minimumVersion: '12' } };
      const links = [await auth.generatePasswordResetLink(email('l')), await auth.generateEmailVerificationLink(email('l'), settings), await auth.generateSignInWithEmailLink(email('l'), settings), await auth.generateVerifyAndChangeEmailLink(email('l'), email('new'))];
      const tries = [() => auth.generatePasswordResetLink('x'), () => auth.generatePasswordResetLink('nobody@example.com'), () => auth.generateSignInWithEmailLink(email('l')), () => auth.generateEmailVerificationLink(email('l'), {}), () => auth.generateEmailVerificationLink(email('l'), { url: 'x' }), () => auth.generateEmailVerificationLink(email('l'), null), () => auth.generateVerifyAndChangeEmailLink(email('l'), 'x')];
      const errors = [];
      for (const each of tries) errors.push(await attempt(each));
      await auth.deleteUser(uid('l'));
      const seen = links.map((link) => Object.fromEntries([...new URL(link).searchParams].filter(([name]) => !['oobCode', 'apiKey'].includes(name))));
      return [seen, errors];
    },
    async 'users are imported'() {
      const result = await auth.importUsers([{ uid: uid('i1'), email: email('i1'), passwordHash: Buffer.from('hash'), passwordSalt: Buffer.from('salt'), customClaims: { a: 1 }, metadata: { creationTime: 'Tue, 14 Nov 2023 22:13:20 GMT' }, providerData: [{ uid: 'g', providerId: 'google.com', email: email('i1') }] }, { uid: '' }, { uid: uid('i2'), displayName: 'Two' }], { hash: { algorithm: 'HMAC_SHA256', key: Buffer.from('key') } });
      const { metadata } = await auth.getUser(uid('i1'));
      const tries = [() => auth.importUsers([{ uid: uid('i3'), passwordHash: Buffer.from('x') }]), () => auth.importUsers([{ uid: uid('i3'), passwordHash: Buffer.from('x') }], { hash: { algorithm: 'NONE' } }), () => auth.importUsers([{ uid: uid('i3'), passwordHash: Buffer.from('x') }], { hash: { algorithm: 'SHA256' } })];
      const errors = [];
      for (const each of tries) errors.push(await attempt(each));
      const user = plain(await auth.getUser(uid('i1')));
      await auth.deleteUsers([uid('i1'), uid('i2')]);
      return [result, metadata.creationTime, user, errors];
    },
    async 'apps'() {
      const { initializeApp, getApp, getApps, deleteApp, cert } = apps;
      const other = initializeApp({ projectId: 'other' }, `${run}-other`);
      const tries = [() => initializeApp({ projectId: 'different' }, `${run}-other`).name, () => initializeApp({ projectId: 'other' }, `${run}-other`) === other, () => getApp(`${run}-none`), () => initializeApp({}, ''), () => initializeApp({ projectId: 'x' }).name, () => initializeApp() === getApp(), () => cert({}), () => cert({ project_id: 'p', private_key: 'k' })];
      const out = [];
      for (const each of tries) out.push(await attempt(async () => each()));
      const names = getApps().map((each) => each.name).includes(`${run}-other`);
      await deleteApp(other);
      return [getApp().options.projectId === process.env.GCLOUD_PROJECT, out, names, await attempt(async () => getApp(`${run}-other`)), await attempt(async () => other.name)];
    },
  };
};
