// `npm run test:slow` also runs the cases that npm test leaves to a representative: see the files that read this.

export const SLOW = process.env.LISA_SLOW === '1';
