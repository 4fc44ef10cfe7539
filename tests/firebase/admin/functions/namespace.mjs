// The interface that firebase-admin had before it was parted into modules, which is still the most written.
export const namespace = ({ admin, at }) => ({
  async 'apps are found and made once'() {
    return [admin.apps.length > 0, admin.app().name, admin.apps.includes(admin.app()), typeof admin.SDK_VERSION, typeof admin.credential.cert, typeof admin.credential.applicationDefault];
  },
  async 'Firestore and its types'() {
    const db = admin.firestore();
    const ref = db.doc(at.path).collection('namespace').doc('x');
    await ref.set({ at: admin.firestore.FieldValue.serverTimestamp(), n: admin.firestore.FieldValue.increment(2), place: new admin.firestore.GeoPoint(1, 2), list: admin.firestore.FieldValue.arrayUnion(1) });
    const found = await ref.get();
    return [found.get('at') instanceof admin.firestore.Timestamp, found.get('n'), found.get('place'), found.get('list'), db === admin.firestore(), db === admin.app().firestore(), found instanceof admin.firestore.DocumentSnapshot, ref instanceof admin.firestore.DocumentReference, admin.firestore.FieldPath.documentId().isEqual(admin.firestore.FieldPath.documentId())];
  },
  async 'the other services'() {
    return [admin.auth() === admin.auth(), admin.auth() === admin.app().auth(), typeof admin.auth().verifyIdToken, typeof admin.messaging().send, typeof admin.storage().bucket];
  },
});
