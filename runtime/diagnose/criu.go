package diagnose

// criuRules are about errors that criu itself gives, in its own words.
func criuRules() []rule {
	return []rule{
		{name: "criu-too-old", what: "vdso: ", why: always("this criu is too old for this kernel: it does not know the layout of its vDSO")},
		{name: "criu-needs-tmp", what: "mnt: Can't create a temporary directory", why: always("criu needs a directory /tmp in the container's root file system")},
	}
}
