package network

import (
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The sets and maps of the table. Rules only look things up in them, so what a packet costs does not grow with the
// number of networks, containers and ports.
const (
	setBridges    = "bridges"  // devices of our networks
	setSame       = "same"     // a bridge twice: from it to itself
	setICC        = "icc"      // the same for those whose containers may talk to each other
	setInternal   = "internal" // those that do not lead anywhere
	setNoICC      = "noicc"    // those whose containers may not
	setSubnets4   = "subnets4" // what containers' addresses are of
	setSubnets6   = "subnets6"
	setMasquerade = "masquerade" // those whose containers leave with the host's address
	setLinks      = "links"      // source . destination . protocol . port
	setPorts4     = "ports4"     // address . protocol . port → address . port
	setPorts6     = "ports6"
	setPorts4Any  = "ports4any" // protocol . port → address . port
	setPorts6Any  = "ports6any"
)

type table struct {
	*nftables.Table
	sets map[string]*nftables.Set
}

// theTable describes the table and its sets.
func theTable() *table {
	t := &table{Table: &nftables.Table{Family: nftables.TableFamilyINet, Name: tableName}, sets: map[string]*nftables.Set{}}
	name, v4, v6, proto, port := nftables.TypeIFName, nftables.TypeIPAddr, nftables.TypeIP6Addr, nftables.TypeInetProto, nftables.TypeInetService
	for _, s := range []string{setBridges, setInternal, setNoICC, setMasquerade} {
		t.set(s, name)
	}
	t.set(setSubnets4, v4).Interval = true
	t.set(setSubnets6, v6).Interval = true
	t.set(setSame, name, name)
	t.set(setICC, name, name)
	t.set(setLinks, v4, v4, proto, port)
	t.set(setPorts4, v4, proto, port).to(v4, port)
	t.set(setPorts6, v6, proto, port).to(v6, port)
	t.set(setPorts4Any, proto, port).to(v4, port)
	t.set(setPorts6Any, proto, port).to(v6, port)
	return t
}

type newSet struct{ *nftables.Set }

func (t *table) set(name string, key ...nftables.SetDatatype) newSet {
	s := &nftables.Set{Table: t.Table, Name: name, ID: uint32(len(t.sets) + 1), KeyType: key[0]}
	if len(key) > 1 {
		s.KeyType, s.Concatenation = nftables.MustConcatSetType(key...), true
	}
	t.sets[name] = s
	return newSet{s}
}

// to makes a map of a set.
func (s newSet) to(data ...nftables.SetDatatype) {
	s.IsMap, s.DataType = true, nftables.MustConcatSetType(data...)
}

// newTable puts a new table in the place of one that may be there.
func newTable(c *nftables.Conn, strict strict) *table {
	t := theTable()
	c.AddTable(t.Table)
	c.DelTable(t.Table)
	c.AddTable(t.Table)
	for _, s := range []string{setBridges, setSame, setICC, setInternal, setNoICC, setMasquerade, setSubnets4, setSubnets6, setLinks, setPorts4, setPorts6, setPorts4Any, setPorts6Any} {
		c.AddSet(t.sets[s], nil)
	}
	b := builder{c, t}
	b.guard()
	b.publish()
	b.forward(strict)
	b.postrouting()
	return t
}

type builder struct {
	*nftables.Conn
	t *table
}

func (b builder) base(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority) *nftables.Chain {
	policy := nftables.ChainPolicyAccept
	return b.AddChain(&nftables.Chain{Name: name, Table: b.t.Table, Type: kind, Hooknum: hook, Priority: priority, Policy: &policy})
}

func (b builder) rule(chain *nftables.Chain, parts ...[]expr.Any) {
	r := &nftables.Rule{Table: b.t.Table, Chain: chain}
	for _, p := range parts {
		r.Exprs = append(r.Exprs, p...)
	}
	b.AddRule(r)
}

// guard: bridges have route_localnet, so without this a container could send to the host's 127.0.0.1.
func (b builder) guard() {
	guard := b.base("guard", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRaw)
	b.rule(guard, b.in(setBridges), loopbackDestination(), verdict(expr.VerdictDrop))
}

// publish: destinations of packets to the host's own addresses, from outside, from containers and from the host.
// Packets that claim to go to 127.0.0.1 but come from elsewhere are left to the kernel, which drops them. ::1 cannot be
// translated: what is sent there is served by the daemon; so is what comes from containers on isolated ports of a
// bridge, as br_netfilter would send it to another such port directly.
func (b builder) publish() {
	publish := b.AddChain(&nftables.Chain{Name: "publish", Table: b.t.Table})
	for _, family := range []struct {
		nfproto                byte
		offset, length         uint32
		particular, everywhere string
	}{{unix.NFPROTO_IPV4, 16, 4, setPorts4, setPorts4Any}, {unix.NFPROTO_IPV6, 24, 16, setPorts6, setPorts6Any}} {
		next := unix.NFT_REG32_00 + family.length/4
		b.rule(publish, isFamily(family.nfproto),
			load(expr.PayloadBaseNetworkHeader, family.offset, family.length, unix.NFT_REG32_00), protoAndPort(next),
			b.translate(family.particular, family.nfproto, family.length))
		b.rule(publish, isFamily(family.nfproto), protoAndPort(unix.NFT_REG32_00), b.translate(family.everywhere, family.nfproto, family.length))
	}
	local := []expr.Any{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.RTN_LOCAL, 0, 0, 0}},
	}
	jump := []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: "publish"}}
	before := b.base("prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest)
	b.rule(before, loopbackDestination(), verdict(expr.VerdictReturn))
	b.rule(before, b.in(setNoICC), verdict(expr.VerdictReturn))
	b.rule(before, local, jump)
	output := b.base("output", nftables.ChainTypeNAT, nftables.ChainHookOutput, nftables.ChainPriorityNATDest)
	b.rule(output, loopbackDestination6(), verdict(expr.VerdictReturn))
	b.rule(output, local, jump)
}

// translate looks a destination up by the registers from the first on.
func (b builder) translate(ports string, nfproto byte, length uint32) []expr.Any {
	return []expr.Any{
		&expr.Lookup{SourceRegister: unix.NFT_REG32_00, DestRegister: unix.NFT_REG32_00, IsDestRegSet: true, SetName: ports, SetID: b.t.sets[ports].ID},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(nfproto), RegAddrMin: unix.NFT_REG32_00, RegProtoMin: unix.NFT_REG32_00 + length/4, Specified: true},
	}
}

// forward: what may pass. An internal network leads nowhere; into the others come answers, published ports and, if ICC
// is on, what stays on the bridge. What does not concern our bridges passes, unless it could not before we came.
func (b builder) forward(strict strict) {
	forward := b.base("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	established := []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: native(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED), Xor: native(0)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: native(0)},
	}
	accept, drop := verdict(expr.VerdictAccept), verdict(expr.VerdictDrop)
	b.rule(forward, b.out(setBridges), established, accept)
	b.rule(forward, b.in(setBridges), established, accept)
	b.rule(forward, b.between(setICC), accept)
	b.rule(forward, b.between(setSame), b.linked(), accept)
	b.rule(forward, b.in(setInternal), drop)
	b.rule(forward, b.out(setInternal), drop)
	b.rule(forward, b.out(setBridges), translated(), accept)
	b.rule(forward, b.out(setBridges), drop)
	b.rule(forward, b.in(setBridges), accept)
	if strict.v4 {
		b.rule(forward, isFamily(unix.NFPROTO_IPV4), drop)
	}
	if strict.v6 {
		b.rule(forward, isFamily(unix.NFPROTO_IPV6), drop)
	}
}

// postrouting: who sends what. What a container sends to itself or a neighbour by a published port has to come back
// by way of the host; so has what the host sends from 127.0.0.1. The former goes by addresses, as br_netfilter does not
// say here which device a packet came from.
func (b builder) postrouting() {
	post := b.base("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	masquerade := []expr.Any{&expr.Masq{}}
	b.rule(post, b.out(setBridges), loopbackSource(), masquerade)
	b.rule(post, b.out(setBridges), b.source(unix.NFPROTO_IPV4, 12, 4, setSubnets4), translated(), masquerade)
	b.rule(post, b.out(setBridges), b.source(unix.NFPROTO_IPV6, 8, 16, setSubnets6), translated(), masquerade)
	b.rule(post, b.in(setMasquerade), b.notOut(setBridges), masquerade)
}
