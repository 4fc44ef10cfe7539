import express from 'express';
import { onRequest } from 'firebase-functions/https';

const server = express();
server.use(express.json());
server.get('/hello/:name', (req, res) => {
  res.json({ name: req.params.name, query: req.query, url: req.originalUrl });
});
server.post('/body', (req, res) => {
  res.status(201).send({ got: req.body });
});
server.get('/fails', () => {
  throw new Error('inside express');
});
server.use((error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
  res.status(418).json({ error: error.message });
});

/** An app of express as a function. */
export const app = onRequest(server);
