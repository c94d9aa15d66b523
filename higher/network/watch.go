package network

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// watcher hears of every change of the rule set (nfnetlink's group for nftables) and has the table made anew when
// somebody else has removed anything of it, as `nft flush ruleset` does.
type watcher struct {
	conn    *netlink.Conn
	closing chan struct{}
	done    chan struct{}
}

// pace keeps two programs that both think a table theirs from making it by turns as fast as they can: two daemons in
// one network namespace, say.
type pace struct {
	last  time.Time // when the last repair was due
	quick int       // repairs, each soon after the one before
}

const (
	paceQuick = 3           // repairs that nothing waits for
	paceSoon  = time.Second // after a repair
	paceMost  = time.Minute
)

// wait is how long a repair has to wait that is wanted now.
func (p *pace) wait(now time.Time) time.Duration {
	p.quick++
	if now.Sub(p.last) > paceSoon {
		p.quick = 0
	}
	delay := time.Duration(0)
	if p.quick >= paceQuick {
		delay = min(paceSoon<<min(p.quick-paceQuick, 10), paceMost)
	}
	p.last = now.Add(delay)
	return delay
}

func watchTable(f *firewall) (*watcher, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{Groups: 1 << (unix.NFNLGRP_NFTABLES - 1)})
	if err != nil {
		return nil, fmt.Errorf("cannot listen for changes of the firewall: %w", err)
	}
	w := &watcher{conn: conn, closing: make(chan struct{}), done: make(chan struct{})}
	go w.run(f)
	return w, nil
}

func (w *watcher) Close() {
	close(w.closing)
	w.conn.Close()
	<-w.done
}

func (w *watcher) run(f *firewall) {
	defer close(w.done)
	damaged, pace := false, pace{}
	for {
		messages, err := w.conn.Receive()
		switch {
		case errors.Is(err, unix.ENOBUFS):
			damaged = true // nobody knows what was missed
		case err != nil && w.closes(0):
			return
		case err != nil:
			f.log.Error("cannot listen for changes of the firewall any more", "error", err)
			return
		}
		ended := errors.Is(err, unix.ENOBUFS)
		for _, m := range messages {
			damaged = damaged || f.damage(m)
			ended = ended || m.Header.Type == unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_NEWGEN
		}
		// The last message of a transaction tells the new generation.
		if damaged && ended {
			damaged = false
			delay := pace.wait(time.Now())
			if delay == paceSoon {
				f.log.Warn("somebody changes our nftables table again and again, perhaps another daemon in this network namespace: it is made again less often now",
					slog.String("table", "inet "+tableName))
			}
			if w.closes(delay) {
				return
			}
			f.repair()
		}
	}
}

// closes says whether the watcher is closed within a time.
func (w *watcher) closes(within time.Duration) bool {
	select {
	case <-w.closing:
	case <-time.After(within):
	}
	select {
	case <-w.closing:
		return true
	default:
		return false
	}
}

// damage says whether a message tells that somebody else took something away from our table.
func (f *firewall) damage(m netlink.Message) bool {
	switch m.Header.Type &^ (unix.NFNL_SUBSYS_NFTABLES << 8) {
	case unix.NFT_MSG_DELTABLE, unix.NFT_MSG_DELCHAIN, unix.NFT_MSG_DELRULE, unix.NFT_MSG_DELSET, unix.NFT_MSG_DELSETELEM:
	default:
		return false
	}
	const header = 4 // struct nfgenmsg
	if len(m.Data) < header || m.Data[0] != unix.NFPROTO_INET || !ours(m.Data[header:]) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.own[m.Header.PID]
}

// ours looks for the name of our table, which is attribute 1 in each of these messages.
func ours(b []byte) bool {
	for len(b) >= 4 {
		length, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
		if length < 4 || length > len(b) {
			return false
		}
		if kind == unix.NFTA_TABLE_NAME {
			return bytes.Equal(b[4:length], []byte(tableName+"\x00"))
		}
		b = b[min(len(b), (length+3)&^3):]
	}
	return false
}

func (f *firewall) repair() {
	if err := f.rebuild(); err != nil {
		f.log.Error("somebody has changed our nftables table, and it cannot be made again", "error", err)
		return
	}
	f.log.Warn("somebody has changed our nftables table: it was made again", slog.String("table", "inet "+tableName))
}
