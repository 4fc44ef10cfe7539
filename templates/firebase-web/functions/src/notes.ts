import { FieldValue, getFirestore } from 'firebase-admin/firestore';
import { getStorage } from 'firebase-admin/storage';
import { onDocumentCreated, onDocumentDeleted } from 'firebase-functions/v2/firestore';
import { HttpsError, onCall } from 'firebase-functions/v2/https';

/** How many notes somebody has, so that nobody need read them to know. */
async function count(uid: string, change: number): Promise<void> {
  await getFirestore().doc(`totals/${uid}`).set({ notes: FieldValue.increment(change) }, { merge: true });
}

export const countNotes = onDocumentCreated('notes/{note}', (event) => count(event.data?.get('uid'), 1));

export const uncountNotes = onDocumentDeleted('notes/{note}', (event) => count(event.data?.get('uid'), -1));

/** Deletes all notes of who calls, with their pictures, and says how many there were. */
export const clearNotes = onCall(async ({ auth }) => {
  if (!auth) throw new HttpsError('unauthenticated', 'Sign in to clear your notes.');
  const db = getFirestore();
  const notes = await db.collection('notes').where('uid', '==', auth.uid).get();
  const writer = db.bulkWriter();
  for (const note of notes.docs) void writer.delete(note.ref);
  await Promise.all([writer.close(), getStorage().bucket().deleteFiles({ prefix: `notes/${auth.uid}/` })]);
  return { cleared: notes.size };
});
