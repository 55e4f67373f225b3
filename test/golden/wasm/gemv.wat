(module
 (type $0 (func (param i32 i32 i32 i32 i32 i32 i32 i32)))
 (import "env" "memory" (memory $memory 1 65536))
 (export "gemv" (func $gemv))
 (func $gemv (param $items.begin i32) (param $items.end i32) (param $scratch.at i32) (param $w i32) (param $x i32) (param $y i32) (param $N i32) (param $K i32)
  (local $item.at i32)
  (local $block i32)
  (local $n0 i32)
  (local $temp.1 i32)
  (local $row_at:0 i32)
  (local $temp.2 i32)
  (local $temp.3 i32)
  (local $row_at:1 i32)
  (local $acc:0 v128)
  (local $acc:1 v128)
  (local $k.to i32)
  (local $k i32)
  (local $x.at.4 i32)
  (local $xk:0 v128)
  (local $w.at.5 i32)
  (local $wk_0 v128)
  (local $w.at.6 i32)
  (local $wk_1 v128)
  (local $temp.7 v128)
  (local $all_sum_0 f32)
  (local $temp.8 i32)
  (local $temp.9 v128)
  (local $all_sum_1 f32)
  (local $temp.10 i32)
  (local.set $item.at
   (local.get $items.begin)
  )
  (if
   (i32.lt_u
    (local.get $item.at)
    (local.get $items.end)
   )
   (then
    (loop $items.next
     (local.set $block
      (local.get $item.at)
     )
     (local.set $n0
      (i32.mul
       (local.get $block)
       (i32.const 2)
      )
     )
     (local.set $temp.1
      (i32.sub
       (local.get $N)
       (i32.const 1)
      )
     )
     (local.set $row_at:0
      (i32.mul
       (select
        (local.get $n0)
        (local.get $temp.1)
        (i32.lt_s
         (local.get $n0)
         (local.get $temp.1)
        )
       )
       (local.get $K)
      )
     )
     (local.set $temp.2
      (i32.add
       (local.get $n0)
       (i32.const 1)
      )
     )
     (local.set $temp.3
      (i32.sub
       (local.get $N)
       (i32.const 1)
      )
     )
     (local.set $row_at:1
      (i32.mul
       (select
        (local.get $temp.2)
        (local.get $temp.3)
        (i32.lt_s
         (local.get $temp.2)
         (local.get $temp.3)
        )
       )
       (local.get $K)
      )
     )
     (local.set $acc:0
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000)
     )
     (local.set $acc:1
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000)
     )
     (local.set $k.to
      (local.get $K)
     )
     (local.set $k
      (i32.const 0)
     )
     (local.set $x.at.4
      (i32.add
       (local.get $x)
       (i32.shl
        (i32.const 0)
        (i32.const 2)
       )
      )
     )
     (local.set $w.at.5
      (i32.add
       (local.get $w)
       (i32.shl
        (local.get $row_at:0)
        (i32.const 1)
       )
      )
     )
     (local.set $w.at.6
      (i32.add
       (local.get $w)
       (i32.shl
        (local.get $row_at:1)
        (i32.const 1)
       )
      )
     )
     (if
      (i32.lt_s
       (local.get $k)
       (local.get $k.to)
      )
      (then
       (loop $k.next
        (local.set $xk:0
         (v128.load align=4
          (local.get $x.at.4)
         )
        )
        (local.set $wk_0
         (i32x4.shl
          (v128.load16x4_u align=2
           (local.get $w.at.5)
          )
          (i32.const 16)
         )
        )
        (local.set $acc:0
         (f32x4.add
          (f32x4.mul
           (local.get $wk_0)
           (local.get $xk:0)
          )
          (local.get $acc:0)
         )
        )
        (local.set $wk_1
         (i32x4.shl
          (v128.load16x4_u align=2
           (local.get $w.at.6)
          )
          (i32.const 16)
         )
        )
        (local.set $acc:1
         (f32x4.add
          (f32x4.mul
           (local.get $wk_1)
           (local.get $xk:0)
          )
          (local.get $acc:1)
         )
        )
        (local.set $x.at.4
         (i32.add
          (local.get $x.at.4)
          (i32.const 16)
         )
        )
        (local.set $w.at.5
         (i32.add
          (local.get $w.at.5)
          (i32.const 8)
         )
        )
        (local.set $w.at.6
         (i32.add
          (local.get $w.at.6)
          (i32.const 8)
         )
        )
        (local.set $k
         (i32.add
          (local.get $k)
          (i32.const 4)
         )
        )
        (br_if $k.next
         (i32.lt_u
          (local.get $k)
          (local.get $k.to)
         )
        )
       )
      )
     )
     (local.set $temp.7
      (f32x4.add
       (local.get $acc:0)
       (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
        (local.get $acc:0)
        (local.get $acc:0)
       )
      )
     )
     (local.set $all_sum_0
      (f32x4.extract_lane 0
       (f32x4.add
        (local.get $temp.7)
        (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3
         (local.get $temp.7)
         (local.get $temp.7)
        )
       )
      )
     )
     (if
      (i32.lt_s
       (local.get $n0)
       (local.get $N)
      )
      (then
       (local.set $temp.8
        (i32.add
         (local.get $y)
         (i32.shl
          (local.get $n0)
          (i32.const 2)
         )
        )
       )
       (f32.store
        (local.get $temp.8)
        (local.get $all_sum_0)
       )
      )
     )
     (local.set $temp.9
      (f32x4.add
       (local.get $acc:1)
       (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
        (local.get $acc:1)
        (local.get $acc:1)
       )
      )
     )
     (local.set $all_sum_1
      (f32x4.extract_lane 0
       (f32x4.add
        (local.get $temp.9)
        (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3
         (local.get $temp.9)
         (local.get $temp.9)
        )
       )
      )
     )
     (if
      (i32.lt_s
       (i32.add
        (local.get $n0)
        (i32.const 1)
       )
       (local.get $N)
      )
      (then
       (local.set $temp.10
        (i32.add
         (local.get $y)
         (i32.shl
          (local.get $n0)
          (i32.const 2)
         )
        )
       )
       (f32.store offset=4
        (local.get $temp.10)
        (local.get $all_sum_1)
       )
      )
     )
     (local.set $item.at
      (i32.add
       (local.get $item.at)
       (i32.const 1)
      )
     )
     (br_if $items.next
      (i32.lt_u
       (local.get $item.at)
       (local.get $items.end)
      )
     )
    )
   )
  )
 )
)
