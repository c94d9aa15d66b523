package main

type resumeCommand struct{ noFlags }

func resumeVerb() *verb {
	return &verb{
		name:    "resume",
		args:    "ID",
		summary: "let a paused container go on",
		about:   "Lets the processes of the container ID, which 'runtime pause' has stopped, go on.",
		min:     1,
		max:     1,
		new:     func() command { return &resumeCommand{} },
	}
}

func (c *resumeCommand) run(a *app, args []string) (int, error) {
	return 0, a.open(a).Resume(args[0])
}
