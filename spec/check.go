package spec

import "strings"

// These are the checks that many fields share. Each reports at most one problem, at p.

// text refuses NUL, which no system call can carry.
func (c *checker) text(p *path, s string) bool {
	if strings.IndexByte(s, 0) < 0 {
		return true
	}
	c.add(p, "%q contains a NUL character", s)
	return false
}

// texts refuses NUL in a list.
func (c *checker) texts(p *path, list []string) {
	for i, s := range list {
		item := p.item(i)
		c.text(&item, s)
	}
}

// line refuses what would end the value early in a file of the kernel that is written line by line.
func (c *checker) line(p *path, s string) bool {
	if !c.text(p, s) {
		return false
	}
	if strings.IndexByte(s, '\n') >= 0 {
		c.add(p, "%q contains a newline", s)
		return false
	}
	return true
}

// absolute wants an absolute path.
func (c *checker) absolute(p *path, s string) {
	switch {
	case s == "":
		c.add(p, "a path is required")
	case s[0] != '/':
		c.add(p, "path %q is not absolute", s)
	default:
		c.text(p, s)
	}
}

// absolutes wants a list of absolute paths.
func (c *checker) absolutes(p *path, list []string) {
	for i, s := range list {
		item := p.item(i)
		c.absolute(&item, s)
	}
}

// environment wants NAME=value in each element (IEEE Std 1003.1-2008, section 8.1).
func (c *checker) environment(p *path, list []string) {
	for i, s := range list {
		item := p.item(i)
		switch equals := strings.IndexByte(s, '='); {
		case equals < 0:
			c.add(&item, "environment variable %q has no '='", s)
		case equals == 0:
			c.add(&item, "environment variable %q has no name", s)
		default:
			c.text(&item, s)
		}
	}
}

// flags wants words of an enumeration. It returns the union of their bits.
func flags[T ~string, B int | uint64](c *checker, p *path, list []T, what string, lookup func(T) (B, bool)) B {
	var union B
	for i, word := range list {
		item := p.item(i)
		bit, ok := lookup(word)
		if !ok {
			c.add(&item, "invalid %s %q", what, word)
		}
		union |= bit
	}
	return union
}
