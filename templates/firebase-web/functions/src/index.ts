import { initializeApp } from 'firebase-admin/app';

initializeApp();

export { clearNotes, countNotes, uncountNotes } from './notes.js';
