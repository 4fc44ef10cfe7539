// A connection that can be cut: whoever connects here is passed on, until `cut`.
import { createServer, connect } from 'node:net';

/** Passes connections on to a port; `sent()` is what clients have sent since it was last asked. */
export async function proxy(host, port) {
    const sockets = new Set();
    let sent = '';
    const server = createServer((client) => {
        const upstream = connect(port, host);
        for (const socket of [client, upstream]) {
            sockets.add(socket);
            socket.setNoDelay(true);
            socket.on('close', () => (sockets.delete(socket), client.destroy(), upstream.destroy()));
            socket.on('error', () => {});
        }
        client.on('data', (data) => (sent += data.toString('latin1')));
        client.pipe(upstream);
        upstream.pipe(client);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        port: server.address().port,
        sent: () => {
            const said = sent;
            sent = '';
            return said;
        },
        cut: () => sockets.forEach((socket) => socket.destroy()),
        close: () => (sockets.forEach((socket) => socket.destroy()), server.close()),
    };
}
