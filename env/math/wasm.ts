/** Instantiates a kernel module from its embedded bytes: synchronous, no file access. */
export function instantiateKernel<Exports>(base64: string, memory: WebAssembly.Memory): Exports {
  const module = new WebAssembly.Module(Buffer.from(base64, 'base64'));
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return instance.exports as unknown as Exports;
}
