#include "textflag.h"

// The step interpreter. It is never called: image.go copies its machine code into the ELF file that the
// container's first process executes, so it uses nothing but registers, system calls, relative jumps
// and the data segment at the fixed address dataBase (image.go has the layout).
//
//	R12 data segment   R13 current step   R14 registers   R15 tries left   BX result
//
// A step is 80 bytes: nr int32, use uint8, flags uint8, 2 spare, args [6]uint64, save, next, else,
// self uint32, ok [4]uint16. Bit i of use: argument i is the number of a register. A negative nr is an
// operation of the interpreter's own. Register 1 holds the descriptor for reports.

#define STEPS    0(R12)
#define REGS     8(R12)
#define REPORT   8(R14)
#define MSG_STEP 16(R12)
#define MSG_KIND 20(R12)
#define MSG_VAL  24(R12)
#define REP_STAT 32(R12)
#define REP_VAL  40(R12)
#define AGAIN    48(R12)

#define NR    0(R13)
#define USE   4(R13)
#define FLAGS 5(R13)
#define SAVE  56(R13)
#define NEXT  60(R13)
#define ELSE  64(R13)
#define SELF  68(R13)

#define ARG(off, bit, reg) \
	MOVQ  off(R13), reg     \
	TESTB $bit, CX          \
	JEQ   2(PC)             \
	MOVQ  (R14)(reg*8), reg

#define WRITE 1
#define READ 0
#define EXIT_GROUP 231

// Message kinds, as in image.go.
#define FAILED 0
#define MEETING 1

TEXT ·interpreter(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ $0x401000, R12
	MOVQ REGS, R14
	MOVQ STEPS, R13
	CMPQ 0(SP), $2 // argc
	JNE  step
	MOVQ AGAIN, R13

step:
	MOVQ $128, R15

again:
	MOVBLZX USE, CX
	ARG(8, 1, DI)
	ARG(16, 2, SI)
	ARG(24, 4, DX)
	ARG(32, 8, R10)
	ARG(40, 16, R8)
	ARG(48, 32, R9)
	MOVLQSX NR, AX
	TESTQ   AX, AX
	JLT     own
	SYSCALL
	MOVQ    AX, BX
	CMPQ    BX, $0xfffffffffffff001
	JCC     failed

done:
	MOVL  SAVE, CX
	TESTL CX, CX
	JEQ   next
	LEAQ  (R14)(CX*8), R11
	MOVQ  BX, (R11)

next:
	MOVL NEXT, CX

go:
	IMULQ $80, CX
	MOVQ  STEPS, R13
	ADDQ  CX, R13
	JMP   step

failed:
	NEGQ  BX
	CMPQ  BX, $4             // EINTR
	JEQ   retry
	CMPQ  BX, $11            // EAGAIN
	JNE   tolerated
	TESTB $2, FLAGS
	JEQ   tolerated

retry:
	DECQ R15
	JNE  again

tolerated:
	TESTB $1, FLAGS
	JNE   else
	LEAQ  72(R13), R11
	MOVQ  $4, CX

scan:
	MOVWLZX (R11), DX
	CMPQ    BX, DX
	JEQ     else
	ADDQ    $2, R11
	DECQ    CX
	JNE     scan

	// Nobody expected this error: report (step, 0, errno), wait, and end.
report:
	MOVL $FAILED, MSG_KIND

send:
	MOVQ BX, MSG_VAL
	MOVL SELF, CX
	MOVL CX, MSG_STEP
	MOVQ REPORT, DI
	LEAQ MSG_STEP, SI
	MOVQ $16, DX
	MOVQ $WRITE, AX
	SYSCALL
	MOVQ $1, DI
	CMPQ AX, $16             // nobody to report to: the container's program executes /proc/self/exe
	JNE  exit
	MOVL MSG_KIND, CX
	CMPL CX, $FAILED
	JNE  answer

	// Stand still until the parent has looked at what the process has open, and hangs up.
	MOVQ REPORT, DI
	LEAQ REP_STAT, SI
	MOVQ $16, DX
	MOVQ $READ, AX
	SYSCALL
	MOVQ $1, DI

exit:
	MOVQ $EXIT_GROUP, AX
	SYSCALL
	JMP  exit

else:
	MOVL ELSE, CX
	JMP  go

own:
	CMPQ AX, $-1
	JEQ  rendezvous
	CMPQ AX, $-2
	JEQ  load
	CMPQ AX, $-3
	JEQ  store
	CMPQ AX, $-4
	JEQ  compare
	MOVQ DI, BX
	CMPQ AX, $-5
	JEQ  report
	JMP  exit

rendezvous:
	MOVL $MEETING, MSG_KIND
	MOVQ DI, BX
	JMP  send

answer:
	MOVQ REPORT, DI
	LEAQ REP_STAT, SI
	MOVQ $16, DX
	MOVQ $READ, AX
	SYSCALL
	CMPQ AX, $-4
	JEQ  answer
	MOVQ $1, DI
	CMPQ AX, $16
	JNE  exit
	MOVQ REP_STAT, CX
	TESTQ CX, CX
	JNE  exit
	MOVQ REP_VAL, BX
	JMP  done

load:
	CMPQ SI, $2
	JEQ  load2
	CMPQ SI, $4
	JEQ  load4
	CMPQ SI, $8
	JEQ  load8
	MOVBQZX (DI), BX
	JMP  mask

load2:
	MOVWQZX (DI), BX
	JMP  mask

load4:
	MOVL (DI), BX
	JMP  mask

load8:
	MOVQ (DI), BX

mask:
	ANDQ DX, BX
	JMP  done

store:
	CMPQ DX, $8
	JEQ  store8
	MOVL SI, (DI)
	JMP  next

store8:
	MOVQ SI, (DI)
	JMP  next

compare:
	CMPQ DI, SI
	JEQ  next
	JMP  else

	// A signal handler (plan.Quit), which interp_amd64.go knows by its bytes: it ends the process as SIGTERM would
	// end one that is not the init of a pid namespace.
	MOVL $143, DI
	MOVL $EXIT_GROUP, AX
	SYSCALL

	// The end mark that image.go looks for; it stands for no instruction.
	BYTE $0x64; BYTE $0x68; BYTE $0x6f; BYTE $0x77; BYTE $0x2d; BYTE $0x65; BYTE $0x6e; BYTE $0x64

// func interpreterAddress() unsafe.Pointer
TEXT ·interpreterAddress(SB), NOSPLIT, $0-8
	LEAQ ·interpreter(SB), AX
	MOVQ AX, ret+0(FP)
	RET
