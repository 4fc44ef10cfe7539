// All tests use one emu, so files take turns.
module.exports = { testMatch: ['**/test/*.jest.cjs'], maxWorkers: 1, testEnvironment: 'node', transform: {} };
