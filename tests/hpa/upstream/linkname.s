// Empty on purpose: without an assembly file the compiler refuses the functions without a body in upstream.go.
