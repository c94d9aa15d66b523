package main

type startCommand struct{ noFlags }

func startVerb() *verb {
	return &verb{
		name:    "start",
		args:    "ID",
		summary: "start the program of a created container",
		about:   "Lets the container ID, which create has made, go on to execute its program.",
		min:     1,
		max:     1,
		new:     func() command { return &startCommand{} },
	}
}

func (c *startCommand) run(a *app, args []string) (int, error) {
	return 0, a.open(a).Start(args[0])
}
