// The page. Which project it is of, and where its services are, Hosting says.
import { initializeApp } from 'firebase/app';
import { createUserWithEmailAndPassword, getAuth, onAuthStateChanged, signInWithEmailAndPassword, signOut } from 'firebase/auth';
import { getFirestore } from 'firebase/firestore';
import { getFunctions } from 'firebase/functions';
import { getStorage } from 'firebase/storage';
import { addNote, clearNotes, countNotes, listNotes, type Note, type Services } from './notes.js';

const element = (id: string) => document.getElementById(id) as HTMLElement;
const show = (message: string) => {
  element('message').textContent = message;
};
const fail = (error: Error) => show(error.message);

function onForm(id: string, act: (data: FormData, how: string) => Promise<unknown>): void {
  const form = element(id) as HTMLFormElement;
  form.onsubmit = (event) => {
    event.preventDefault();
    show('');
    act(new FormData(form), (event.submitter as HTMLButtonElement).value).then(() => form.reset(), fail);
  };
}

function draw(note: Note): HTMLElement {
  const item = document.createElement('li');
  item.textContent = note.text;
  if (note.picture) {
    const image = document.createElement('img');
    image.src = note.picture;
    image.alt = '';
    item.append(image);
  }
  return item;
}

async function start(): Promise<void> {
  const app = initializeApp(await (await fetch('/__/firebase/init.json')).json());
  const services: Services = { auth: getAuth(app), db: getFirestore(app), functions: getFunctions(app), storage: getStorage(app) };
  const { auth } = services;

  onForm('account', (data, how) => {
    const [email, password] = [String(data.get('email')), String(data.get('password'))];
    return how === 'join' ? createUserWithEmailAndPassword(auth, email, password) : signInWithEmailAndPassword(auth, email, password);
  });
  onForm('add', (data) => {
    const picture = data.get('picture') as File;
    return addNote(services, String(data.get('text')), picture.size ? picture : undefined, picture.type);
  });
  element('clear').onclick = () => clearNotes(services).catch(fail);
  element('leave').onclick = () => signOut(auth);

  let stop: (() => void)[] = [];
  onAuthStateChanged(auth, (user) => {
    document.body.dataset.state = user ? 'in' : 'out';
    stop.forEach((end) => end());
    stop = user
      ? [
          listNotes(services, (notes) => element('notes').replaceChildren(...notes.map(draw)), fail),
          countNotes(services, (count) => { element('count').textContent = String(count); }, fail),
        ]
      : [];
  });
}

start().catch(fail);
