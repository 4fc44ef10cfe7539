// What the app does, over the services of Firebase: the page uses it, and so do the tests.
import type { Auth } from 'firebase/auth';
import { addDoc, collection, doc, onSnapshot, orderBy, query, serverTimestamp, where, type Firestore } from 'firebase/firestore';
import { httpsCallable, type Functions } from 'firebase/functions';
import { getDownloadURL, ref, uploadBytes, type FirebaseStorage } from 'firebase/storage';

export interface Services {
  auth: Auth;
  db: Firestore;
  functions: Functions;
  storage: FirebaseStorage;
}

export interface Note {
  id: string;
  text: string;
  picture: string | null;
}

function uid({ auth }: Services): string {
  if (!auth.currentUser) throw new Error('Nobody is signed in.');
  return auth.currentUser.uid;
}

/** Writes a note, and puts its picture beside it. */
export async function addNote(services: Services, text: string, picture?: Blob | Uint8Array, type = 'image/png'): Promise<void> {
  let url: string | null = null;
  if (picture) {
    const place = ref(services.storage, `notes/${uid(services)}/${crypto.randomUUID()}`);
    await uploadBytes(place, picture, { contentType: type });
    url = await getDownloadURL(place);
  }
  await addDoc(collection(services.db, 'notes'), { uid: uid(services), text, picture: url, createdAt: serverTimestamp() });
}

/** One's own notes, newest first, again with every change; answers what ends it. */
export function listNotes(services: Services, tell: (notes: Note[]) => void, fail: (error: Error) => void): () => void {
  const mine = query(collection(services.db, 'notes'), where('uid', '==', uid(services)), orderBy('createdAt', 'desc'));
  return onSnapshot(mine, (found) => tell(found.docs.map((note) => ({ id: note.id, text: note.get('text'), picture: note.get('picture') }))), fail);
}

/** How many notes one has, again with every change; answers what ends it. */
export function countNotes(services: Services, tell: (count: number) => void, fail: (error: Error) => void): () => void {
  return onSnapshot(doc(services.db, 'totals', uid(services)), (total) => tell(total.get('notes') ?? 0), fail);
}

/** Deletes all of one's notes. */
export async function clearNotes({ functions }: Services): Promise<number> {
  const { data } = await httpsCallable<unknown, { cleared: number }>(functions, 'clearNotes')();
  return data.cleared;
}
