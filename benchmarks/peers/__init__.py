"""The kernels as the users of each library write them: one module a library, one function a kernel."""
