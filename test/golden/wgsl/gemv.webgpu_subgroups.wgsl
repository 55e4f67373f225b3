enable subgroups;
requires subgroup_id;
// gemv: 2 rows x 64 lanes x 1 groups, 1 tokens

struct Sizes {
	N: i32,
	K: i32,
	w_at: i32,
	x_at: i32,
	y_at: i32,
}
@group(0) @binding(0) var<storage, read> w: array<vec4f>; // f32[N * K]
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // f32[K]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // f32[N]
@group(0) @binding(3) var<uniform> size: Sizes;
var<workgroup> partial_f32: array<f32, 64>;

@compute @workgroup_size(64)
fn gemv(place: Place, @builtin(local_invocation_index) index_in_group: u32, @builtin(subgroup_size) subgroup_size_of: u32, @builtin(subgroup_invocation_id) subgroup_lane_of: u32, @builtin(subgroup_id) subgroup_id_of: u32) {
	let item = group_of(place);
	let lane = i32(index_in_group);
	let subgroup_size = i32(subgroup_size_of);
	let subgroup_lane = i32(subgroup_lane_of);
	let subgroup_id = i32(subgroup_id_of);
	if (item >= (size.N + 1) / 2) { return; }
	let block = item;
	let w_at = size.w_at;
	let x_at = size.x_at;
	let y_at = size.y_at;
	let n0 = block * 2;
	var row_at_0 = min(n0, size.N - 1) * size.K;
	var row_at_1 = min(n0 + 1, size.N - 1) * size.K;
	var acc_0 = vec4f(0.0);
	var acc_1 = vec4f(0.0);
	var xk: vec4f;
	for (var k = lane * 4; k < size.K; k += 256) {
		xk = x[(x_at + k) >> 2u];
		let wk_0 = w[(w_at + (row_at_0 + k)) >> 2u];
		acc_0 = fma(wk_0, xk, acc_0);
		let wk_1 = w[(w_at + (row_at_1 + k)) >> 2u];
		acc_1 = fma(wk_1, xk, acc_1);
	}
	workgroupBarrier();
	let all_sum_part_0 = subgroupAdd(fold_sum_f32x4(acc_0));
	if (subgroup_lane == 0) {
		partial_f32[subgroup_id] = all_sum_part_0;
	}
	workgroupBarrier();
	var all_sum_acc_0 = partial_f32[0];
	for (var all_sum_i_0 = 1; all_sum_i_0 < min((subgroup_size + 64 - 1) / subgroup_size, 64); all_sum_i_0 += 1) {
		all_sum_acc_0 += partial_f32[all_sum_i_0];
	}
	if ((n0 < size.N) & (lane == 0)) {
		y[y_at + n0] = all_sum_acc_0;
	}
	workgroupBarrier();
	let all_sum_part_1 = subgroupAdd(fold_sum_f32x4(acc_1));
	if (subgroup_lane == 0) {
		partial_f32[subgroup_id] = all_sum_part_1;
	}
	workgroupBarrier();
	var all_sum_acc_1 = partial_f32[0];
	for (var all_sum_i_1 = 1; all_sum_i_1 < min((subgroup_size + 64 - 1) / subgroup_size, 64); all_sum_i_1 += 1) {
		all_sum_acc_1 += partial_f32[all_sum_i_1];
	}
	if (((n0 + 1) < size.N) & (lane == 0)) {
		y[y_at + (n0 + 1)] = all_sum_acc_1;
	}
}

struct Place {
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
}

fn group_of(at: Place) -> i32 {
	// Workgroups beyond the most of one dimension go on in the next.
	return i32(at.group.x + at.group.y * at.groups.x);
}

fn fold_sum_f32x4(v: vec4f) -> f32 {
	let pair = v.xy + v.zw;
	return pair.x + pair.y;
}
