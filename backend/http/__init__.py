"""HTTP parts that several folders share: dependencies, middleware, uploads, shared reads."""
