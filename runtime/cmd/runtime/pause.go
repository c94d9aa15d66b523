package main

type pauseCommand struct{ noFlags }

func pauseVerb() *verb {
	return &verb{
		name:    "pause",
		args:    "ID",
		summary: "stop every process of a container for a while",
		about: `Freezes all processes of the running container ID and returns when they stand still. 'runtime resume'
lets them go on.`,
		min: 1,
		max: 1,
		new: func() command { return &pauseCommand{} },
	}
}

func (c *pauseCommand) run(a *app, args []string) (int, error) {
	return 0, a.open(a).Pause(args[0])
}
