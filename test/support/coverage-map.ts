/**
 * Whatever the test, only these folders are measured: their coverage is complete, and that of the rest is not
 * counted.
 */
export default (): string[] => ['src/domain/**', 'src/application/**'];
