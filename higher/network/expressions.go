package network

import (
	"encoding/binary"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Rules are put together from these, as nft(8) would from text.

func native(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func verdict(k expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: k}} }

// in is "iifname @set", out is about oifname, notOut its opposite.
func (b builder) in(set string) []expr.Any     { return b.device(expr.MetaKeyIIFNAME, set, false) }
func (b builder) out(set string) []expr.Any    { return b.device(expr.MetaKeyOIFNAME, set, false) }
func (b builder) notOut(set string) []expr.Any { return b.device(expr.MetaKeyOIFNAME, set, true) }

func (b builder) device(key expr.MetaKey, set string, invert bool) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Lookup{SourceRegister: 1, SetName: set, SetID: b.t.sets[set].ID, Invert: invert},
	}
}

// between is "iifname . oifname @set".
func (b builder) between(set string) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: unix.NFT_REG_1},
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: unix.NFT_REG_2},
		&expr.Lookup{SourceRegister: unix.NFT_REG_1, SetName: set, SetID: b.t.sets[set].ID},
	}
}

// source is "ip saddr @set", for the family's offset and length of an address.
func (b builder) source(nfproto byte, offset, length uint32, set string) []expr.Any {
	return append(append(isFamily(nfproto), load(expr.PayloadBaseNetworkHeader, offset, length, 1)...),
		&expr.Lookup{SourceRegister: 1, SetName: set, SetID: b.t.sets[set].ID})
}

// linked is "ip saddr . ip daddr . meta l4proto . th dport @links".
func (b builder) linked() []expr.Any {
	r := uint32(unix.NFT_REG32_00)
	all := append(isFamily(unix.NFPROTO_IPV4), load(expr.PayloadBaseNetworkHeader, 12, 4, r)...)
	all = append(all, load(expr.PayloadBaseNetworkHeader, 16, 4, r+1)...)
	all = append(all, protoAndPort(r+2)...)
	return append(all, &expr.Lookup{SourceRegister: r, SetName: setLinks, SetID: b.t.sets[setLinks].ID})
}

func isFamily(nfproto byte) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{nfproto}},
	}
}

func load(base expr.PayloadBase, offset, length, register uint32) []expr.Any {
	return []expr.Any{&expr.Payload{OperationType: expr.PayloadLoad, Base: base, Offset: offset, Len: length, DestRegister: register}}
}

// protoAndPort loads the protocol and its destination port; where the latter is, TCP, UDP and SCTP agree.
func protoAndPort(register uint32) []expr.Any {
	return append([]expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register}}, load(expr.PayloadBaseTransportHeader, 2, 2, register+1)...)
}

// loopbackDestination is "ip daddr 127.0.0.0/8", loopbackDestination6 "ip6 daddr ::1", loopbackSource "ip saddr 127.0.0.0/8".
func loopbackDestination() []expr.Any { return loopback(16) }
func loopbackSource() []expr.Any      { return loopback(12) }

func loopback(offset uint32) []expr.Any {
	return append(append(isFamily(unix.NFPROTO_IPV4), load(expr.PayloadBaseNetworkHeader, offset, 1, 1)...),
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{127}})
}

func loopbackDestination6() []expr.Any {
	return append(append(isFamily(unix.NFPROTO_IPV6), load(expr.PayloadBaseNetworkHeader, 24, 16, 1)...),
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{15: 1}})
}

// translated is "ct status dnat".
func translated() []expr.Any {
	const dnat = 1 << 5 // IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATUS, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: native(dnat), Xor: native(0)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: native(0)},
	}
}
