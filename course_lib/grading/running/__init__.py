"""Running notebooks: in the sandbox, in a stock kernel, on this machine's workers or Dask's."""
