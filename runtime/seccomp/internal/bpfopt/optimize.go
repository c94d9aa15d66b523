package bpfopt

// Optimize returns a filter that decides as filter does, an array of struct sock_filter, and is shorter;
// or filter itself, if it knows of none.
func Optimize(filter []byte) []byte {
	p, ok := decode(filter)
	if !ok {
		return filter
	}
	list, ok := p.classes()
	if !ok {
		return filter
	}
	q := build(p, list)
	if len(q) >= len(p) || !verify(p, q) {
		return filter
	}
	return encode(q)
}
