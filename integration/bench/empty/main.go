// Command empty does nothing: what it costs to start is what any Go program costs.
package main

func main() {}
