package plan

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Program is everything that happens between the clone of a container's first process and the execve
// of its own program.
type Program struct {
	// Clone holds the CLONE_NEW* flags the first process is made with.
	Clone  uintptr
	Host   []string // what the parent does to the host before the clone: directories made, files written
	Files  []File   // descriptors that the parent opens and the child inherits
	IDMaps []*IDMap // what the parent maps at each MapMount
	Steps  []Step
	Tasks  []Task // what the steps are for
	Again  int    // step that the Program goes on at when its file is executed a second time; 0 when it is not
	Init   bool   // the first process is the init of a new pid namespace: all others end with it
	Regs   int    // how many registers the steps use, with 0 and Report
}

// Task names the purpose that a run of steps shares.
type Task struct {
	What  string // "mount proc on /proc": completes the sentence "cannot …"
	Field string // "mounts[0]": the config field that asked for it; "" when the runtime itself does
}

// Op is what a Step does.
type Op uint8

// The operations. All but Syscall are the interpreter's own and touch only the child's memory, except
// Rendezvous, which stops the child until the parent answers.
const (
	Syscall    Op = iota
	Rendezvous    // tell the parent code Args[0], wait; the answer's value is the result
	Load          // result = *(Args[0]) of Args[1] bytes, & Args[2]
	Store         // *(Args[0]) = Args[1], Args[2] bytes
	Compare       // equal: go to Next, otherwise go to Else
	Fail          // fail with errno Args[0]
	Exit          // exit_group(Args[0]) without a report
)

// Reg numbers a register. A step's result is kept in one when Save is not 0, and later steps take it as
// an argument.
type Reg uint32

// Report is the register that holds the descriptor for reports and rendezvous.
const Report Reg = 1

// ArgKind says how an Arg is to be read.
type ArgKind uint8

// The kinds of Arg.
const (
	Imm     ArgKind = iota // Val
	InReg                  // the value of register Val
	Text                   // the address of Str, NUL-terminated
	Pointer                // the address of Mem, plus Val
	Quit                   // the address of a signal handler that ends the process
)

// Arg is one argument of a Step.
type Arg struct {
	Kind ArgKind
	Val  uint64
	Str  string
	Mem  *Mem
}

// Mem is memory that the Program carries: structures for system calls, and room for their answers.
type Mem struct {
	Data []byte
	Refs []Ref
}

// Ref says that the eight bytes at Off of a Mem hold the address of To (or of Str, NUL-terminated).
type Ref struct {
	Off int
	To  *Mem
	Str string
}

// Step is one operation of a Program.
type Step struct {
	Op    Op
	Any   bool // every errno is tolerated
	Retry bool // EAGAIN is tried again, a bounded number of times (openat2(2): racing renames)
	Call  uint32
	Save  Reg
	Task  int32
	Next  int32         // step to go on at; always larger than the step's own number
	Else  int32         // step to go on at after a tolerated errno, or when Compare finds a difference
	Ok    [4]unix.Errno // errors after which the Program goes on at Else; 0 ends the list
	Args  []Arg         // at most six
}

// FileKind says how the parent opens a File.
type FileKind uint8

// The kinds of File.
const (
	OpenPath   FileKind = iota // open(2) Path with Flags
	OpenTree                   // open_tree(2) of Path with Flags
	CgroupTask                 // the `tasks` file of a cgroup v1 directory, opened for writing
	Listener                   // the listening socket that `start` connects to
	Pidfd                      // the pidfd of the container's init
	HostProc                   // the root of the runtime's own /proc, if that is a procfs
	Network                    // a new network namespace (OwnNetwork)
)

// File is a descriptor that the parent opens before the clone.
type File struct {
	Kind  FileKind
	Path  string
	Flags int
	FD    int    // its number in the child
	IDMap *IDMap // of an OpenTree
	Field string
}

// Code tells the parent what a Rendezvous wants of it.
type Code uint64

// The rendezvous codes.
const (
	WriteIDMaps     Code = iota + 1 // write uid_map, gid_map, setgroups of the sender
	RuntimeHooks                    // run prestart and createRuntime hooks
	ContainerHooks                  // run createContainer hooks
	TakeTerminal                    // a descriptor was sent: the terminal's master end
	Created                         // the container is made: record it
	StartHooks                      // run startContainer hooks
	CopyUp                          // two descriptors were sent: copy the first directory's tree into the second
	SeccompListener                 // a descriptor was sent, for the seccomp agent; nobody waits for the answer
	MoveDevices                     // move network devices into the sender's network namespace
	OOMScore                        // write oom_score_adj of the sender
	MakeTarget                      // the root was sent, and what is to be mounted: make what the destination's links lead to
	MapMount                        // a detached mount was sent: map its ids, as the one of IDMaps says that has the step's field
	CheckHidden                     // look whether a whole procfs or sysfs is left in the sender's mount namespace
	EnterUnit                       // put the process into its systemd unit, which is started for a new container
)

var codeNames = [...]string{
	WriteIDMaps: "write-id-maps", RuntimeHooks: "createRuntime-hooks", ContainerHooks: "createContainer-hooks",
	TakeTerminal: "take-terminal", Created: "created", StartHooks: "startContainer-hooks", CopyUp: "copy-up",
	SeccompListener: "seccomp-listener", MoveDevices: "move-network-devices", OOMScore: "oom-score", EnterUnit: "enter-unit",
	MakeTarget: "make-target", MapMount: "map-mount", CheckHidden: "check-hidden",
}

func (c Code) String() string {
	if int(c) < len(codeNames) && codeNames[c] != "" {
		return codeNames[c]
	}
	return fmt.Sprintf("rendezvous-%d", uint64(c))
}

// maxArgs is how many arguments a system call has.
const maxArgs = 6

// Verify checks what makes every Program end: jumps go forward only, and stay inside.
func (p *Program) Verify() error {
	n := int32(len(p.Steps))
	for i := range p.Steps {
		s := &p.Steps[i]
		for _, to := range [2]int32{s.Next, s.Else} {
			if to <= int32(i) || to > n {
				return fmt.Errorf("internal error: step %d jumps to %d of %d", i, to, n)
			}
		}
		if int(s.Save) >= p.Regs || len(s.Args) > maxArgs || int(s.Task) >= len(p.Tasks) {
			return fmt.Errorf("internal error: step %d saves to register %d of %d, has %d arguments and task %d",
				i, s.Save, p.Regs, len(s.Args), s.Task)
		}
		for _, a := range s.Args {
			if a.Kind == InReg && a.Val >= uint64(p.Regs) {
				return fmt.Errorf("internal error: step %d reads register %d of %d", i, a.Val, p.Regs)
			}
		}
	}
	return nil
}

// Task returns what step i is for.
func (p *Program) Task(i int) Task { return p.Tasks[p.Steps[i].Task] }

// FilesMessage is the kind of a report that only carries descriptors (SCM_RIGHTS) for the rendezvous
// after it.
const FilesMessage = 2

// ListenerMessage is the kind of a report that carries the seccomp listener. The parent handles it as a
// SeccompListener, and does not answer: the process may not be able to read the answer.
const ListenerMessage = 3

// StepInfo describes a step in words.
type StepInfo struct {
	Task
	Call    string // name of the system call, "" for an operation of the interpreter
	Message string // of a Fail step
}

// Describe says what step i is, for messages.
func (p *Program) Describe(i int) StepInfo {
	if i < 0 || i >= len(p.Steps) {
		return StepInfo{Task: Task{What: "run the program"}}
	}
	s := &p.Steps[i]
	info := StepInfo{Task: p.Tasks[s.Task]}
	switch s.Op {
	case Syscall:
		info.Call = CallName(s.Call)
	case Fail:
		info.Message = s.Args[1].Str
	}
	return info
}

// Failure is the sentence for a step that failed with errno.
func (i StepInfo) Failure(errno unix.Errno) string {
	text := "cannot " + i.What
	if i.Field != "" {
		text += " (" + i.Field + ")"
	}
	switch {
	case i.Message != "":
		return text + ": " + i.Message
	case i.Call == "execve": // what it was to execute is what the caller knows
		return text + ": exec " + strings.TrimPrefix(i.What, "run ") + ": " + errno.Error()
	case i.Call != "":
		return text + ": " + i.Call + ": " + errno.Error()
	}
	return text + ": " + errno.Error()
}
